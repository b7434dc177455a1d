"""Pods of several Executors and joins of several searches, in processes and in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas

OLD = """
!Flow
version: '1'
pods:
  - name: pass
    uses: _pass
  - name: index
    needs: pass
    uses:
      !CompoundIndexer
      components:
        - !NumpyIndexer
          metas: {name: vectors}
          with: {metric: euclidean}
        - !BinaryPbIndexer
          metas: {name: bodies}
      metas: {name: both}
  - name: best
    uses: _merge_matches_topk
    needs: index
"""
ASK = """
import numpy as np
from jina import Document, Flow

if __name__ == "__main__":
    with Flow.load_config("flow.yml") as flow:
        vectors = np.array([[n, 0.0] for n in range(20)])
        made = [Document(id=f"{n:02}", text=f"t{n}", embedding=v) for n, v in enumerate(vectors)]
        flow.post("/index", made)
        query = Document(embedding=np.array([3.2, 0.0]))
        for more in ({}, {"top_k": 2}):
            (answer,) = flow.post("/search", [query], parameters=more)
            print([(m.id, m.text) for m in answer.matches])
"""


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


@pytest.mark.parametrize("colocate", ["false", "true"])
def test_a_file_of_0_9_with_a_compound_indexer_answers(jina: Jinas, colocate: str) -> None:
    (jina.folder / "flow.yml").write_text(f"{OLD}colocate: {colocate}\n")
    (jina.folder / "app.py").write_text(ASK)

    program = jina.start_python("app.py")

    assert program.wait() == 0, program.stderr
    # The ten nearest: by 3.2 these are 3, 4, 2, 5, 1, 6, 0, 7, 8, 9.
    first, second = program.stdout.splitlines()
    ids = [f"{n:02}" for n in (3, 4, 2, 5, 1, 6, 0, 7, 8, 9)]
    assert first == str([(id_, f"t{int(id_)}") for id_ in ids])
    assert second == "[('03', 't3'), ('04', 't4')]"
    kept = sorted(path.parent.name for path in jina.folder.rglob("documents.sqlite"))
    assert kept == ["bodies", "vectors"]


CHUNKS = """
!Flow
version: '1'
pods:
  - name: split
    uses:
      !Sentencizer
      with: {min_length: 1}
      requests:
        on:
          [IndexRequest, SearchRequest]:
            - !SegmentDriver {}
  - name: encode
    uses:
      !Colours
      metas: {py_modules: colours.py}
      requests:
        on:
          [IndexRequest, SearchRequest]:
            - !EncodeDriver
              with: {traversal_paths: [c]}
  - name: chunks
    uses:
      !CompoundIndexer
      components:
        - !NumpyIndexer {}
        - !BinaryPbIndexer {}
  - name: rank
    uses:
      !MinRanker
      requests:
        on:
          SearchRequest:
            - !ExcludeQL
              with: {fields: [embedding]}
            - !Chunk2DocRankDriver {}
            - !SliceQL
              with: {start: 0, end: 5, traversal_paths: [m]}
  - name: documents
    uses: BinaryPbIndexer
"""
COLOURS = """
import numpy as np
from jina import Encoder

class Colours(Encoder):
    field = "text"

    def encode(self, content):
        words = ("red", "green", "blue")
        return np.array([[word in text.lower() for word in words] for text in content], float)
"""
ASK_CHUNKS = """
from jina import Document, Flow

if __name__ == "__main__":
    with Flow.load_config("flow.yml") as flow:
        texts = ["Red is warm. Blue is cold.", "Red and blue mix.", "Green it is."]
        flow.post("/index", [Document(id=f"d{n}", text=text) for n, text in enumerate(texts)])
        (answer,) = flow.post("/search", [Document(id="q", text="Is it blue? Or red?")])
        print([(m.id, m.text, round(m.score, 3)) for m in answer.matches])
"""


def test_a_file_of_0_9_ranks_matched_chunks_back_to_documents(jina: Jinas) -> None:
    (jina.folder / "flow.yml").write_text(CHUNKS)
    (jina.folder / "colours.py").write_text(COLOURS)
    (jina.folder / "app.py").write_text(ASK_CHUNKS)

    program = jina.start_python("app.py")

    assert program.wait() == 0, program.stderr
    # A sentence of d0 is about blue alone, that of d1 about both: cos is 1 and 1 / sqrt(2).
    expected = [
        ("d0", "Red is warm. Blue is cold.", 1.0),
        ("d1", "Red and blue mix.", 0.707),
        ("d2", "Green it is.", 0.0),
    ]
    assert program.stdout.strip() == str(expected)


JOIN = """
jtype: Flow
executors:
  - name: words
    uses: TextIndexer
    needs: gateway
  - name: near
    uses: {jtype: VectorIndexer}
    needs: gateway
  - name: both
    uses: fuser.py:Sum
    needs: [words, near]
"""
FUSER = """
import numpy as np
from jina_cli.executors.base import Fuser

class Sum(Fuser):
    def fuse(self, ranks, scores, offsets, *, inputs=(), **parameters):
        assert inputs == ("words", "near"), inputs
        return np.nansum(1 / ranks, axis=0)
"""
FUSE = """
import numpy as np
from jina import Document, Flow

if __name__ == "__main__":
    with Flow.load_config("flow.yml") as flow:
        texts = {"a": "red", "b": "red blue", "c": "green"}
        places = {"a": 9.0, "b": 1.0, "c": 2.0}
        vectors = {name: np.array([1.0, place]) for name, place in places.items()}
        made = [Document(id=i, text=texts[i], embedding=vectors[i]) for i in texts]
        flow.post("/index", made)
        query = Document(id="q", text="red", embedding=np.array([1.0, 1.0]))
        (answer,) = flow.post("/search", [query])
        print([(m.id, round(m.score, 3), m.text) for m in answer.matches])
"""


def test_a_join_fuses_what_its_pods_found(jina: Jinas) -> None:
    (jina.folder / "flow.yml").write_text(JOIN)
    (jina.folder / "fuser.py").write_text(FUSER)
    (jina.folder / "app.py").write_text(FUSE)

    program = jina.start_python("app.py")

    assert program.wait() == 0, program.stderr
    # By words a, b (b is longer); by vectors b, c, a. So b has 1/2 + 1, a 1 + 1/3, c 1/2.
    found = "[('b', 1.5, 'red blue'), ('a', 1.333, 'red'), ('c', 0.5, 'green')]"
    assert program.stdout.strip() == found
