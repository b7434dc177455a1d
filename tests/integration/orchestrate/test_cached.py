"""A Flow that caches, encodes and indexes: what is unchanged costs nothing, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas

PROGRAM = """
import numpy as np
from jina_cli import Flow
from jina import Document, Executor, requests

class Encode(Executor):
    @requests(on=["/index", "/search"])
    def encode(self, docs, parameters, **kwargs):
        if docs and parameters.get("fails"):
            raise LookupError("not now")
        for doc in docs:
            doc.embedding = np.array([len(doc.text), 1.0])
        return docs

def made(**texts):
    return [Document(id=id_, text=text) for id_, text in texts.items()]

if __name__ == "__main__":
    flow = (
        Flow(workspace="kept")
        .add(name="cache", uses="DocCache", uses_with={"shards": 2})
        .add(name="encode", uses=Encode)
        .add(name="index", uses="HybridIndexer", replicas=2, shards=2)
    )
    with flow:
        def send(fails=False, **texts):
            try:
                docs = flow.post("/index", made(**texts), parameters={"fails": fails})
                return [doc.id for doc in docs]
            except Exception as error:
                return type(error).__name__
        print(send(a="red boats", b="blue", fails=True))
        print(send(a="red boats", b="blue"))
        print(send(a="red boats", b="blue", fails=True))
        print(send(a="red boats", b="green", c="new"))
        for _ in range(3):
            found = flow.post("/search", made(q="boat"), parameters={"top_k": 9})[0].matches
            print(found[0].id, found[0].text, len(found))
"""


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def test_unchanged_documents_go_no_further_and_failed_ones_come_again(jina: Jinas) -> None:
    (jina.folder / "app.py").write_text(PROGRAM)

    program = jina.start_python("app.py")

    assert program.wait() == 0, program.stderr
    failed, first, unchanged, changed, *searched = program.stdout.splitlines()
    assert failed not in ("[]", "['a', 'b']")
    assert (first, unchanged, changed) == ("['a', 'b']", "[]", "['b', 'c']")
    assert searched == ["a red boats 3"] * 3
