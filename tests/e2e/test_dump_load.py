"""`jina dump` and `jina load`, in processes of their own, on real Flows."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.testing.processes import Jinas, Started, wait_until

EXECUTORS = """
import os
import numpy as np
from jina_cli import Encoder, Segmenter

def said(what):
    with open("said", "a") as file:
        file.write(what + "\\n")

class Cut(Segmenter):
    def segment(self, content):
        said("segment")
        return [text.split() for text in content]

class Length(Encoder):
    field = "text"

    def encode(self, content):
        said("encode")
        return np.array([[len(text), 0.1] for text in content], np.float32)
"""

FLOW = """
jtype: Flow
executors:
  - {name: cut, uses: mine.py:Cut}
  - name: encode
    uses: mine.py:Length
    uses_requests:
      /index: [{driver: EncodeDriver, with: {field: text, traversal_paths: "@c"}}]
      /search: [{driver: EncodeDriver, with: {field: text}}]
  - {name: index, uses: HybridIndexer, shards: 2}
"""

WORDS = "jtype: Flow\nexecutors: [{name: index, uses: TextIndexer}]\n"

ROWS = [{"id": f"{n:03}", "text": f"word{n} and more", "n": n} for n in range(150)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    (tmp_path / "mine.py").write_text(EXECUTORS)
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "words.yml").write_text(WORDS)
    with Jinas(tmp_path) as jinas:
        yield jinas


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def serve(jina: Jinas, workspace: str, uses: str = "flow.yml") -> tuple[Started, str]:
    """Start a Flow, and return it with its address."""
    flow = jina.start("flow", "--uses", uses, "--workspace", workspace)
    wait_until(lambda: "ready in" in flow.stderr or flow.code is not None, 30, "ready")
    words = [word.rstrip(",") for word in flow.stderr.split()]
    return flow, next(word for word in words if word.startswith("grpc://"))


def test_documents_come_back_with_chunks_and_vectors_and_nothing_is_encoded_again(
    jina: Jinas, tmp_path: Path
) -> None:
    flow, host = serve(jina, "one")
    assert jina.run("index", "--host", host, stdin=LINES).code == 0
    lines = jina.run("dump", "--host", host)
    table = jina.run("dump", "--host", host, "-o", "out/all.parquet", "--json")
    bare = jina.run("dump", "--host", host, "--no-vectors", "--where", "n < 2")
    assert flow.stop(signal.SIGTERM) == 0

    rows = objects(lines.stdout)
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert [chunk["text"] for chunk in rows[7]["chunks"]] == ["word7", "and", "more"]
    assert rows[7]["chunks"][0]["embedding"] == [5.0, 0.1]
    assert objects(table.stdout)[0] | {"seconds": 0} == {
        "schema": "jina.dump/1",
        "documents": 150,
        "chunks": 450,
        "file": "out/all.parquet",
        "format": "parquet",
        "seconds": 0,
    }
    assert [row["id"] for row in objects(bare.stdout)] == ["000", "001"]
    assert "embedding" not in bare.stdout

    (tmp_path / "said").unlink()
    flow, host = serve(jina, "two")
    loaded = jina.run("load", "out/all.parquet", "--host", host, "--json")
    again = jina.run("dump", "--host", host)
    asked_again = (tmp_path / "said").exists()
    found = jina.run("search", "word149", "--host", host, "--json", "-k", "1")
    fresh = jina.run("load", "--host", host, stdin=bare.stdout)
    assert flow.stop(signal.SIGTERM) == 0

    assert objects(loaded.stdout)[0] | {"seconds": 0} == {
        "schema": "jina.load/1",
        "documents": 150,
        "failed": 0,
        "seconds": 0,
    }
    assert not asked_again
    assert again.stdout == lines.stdout
    assert objects(found.stdout)[0]["matches"][0]["id"] == "149"
    assert fresh.stderr.startswith("2 documents loaded in ")
    assert "encode" in (tmp_path / "said").read_text()


def test_a_file_is_there_whole_or_not_at_all(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_text("old")
    (tmp_path / "file").write_text("")
    flow, host = serve(jina, "w", "words.yml")
    jina.run("index", "--host", host, stdin='{"id": "a", "text": "b"}\n')

    empty = jina.run("dump", "-o", "old.jsonl", "--where", "text = 'none'", "--host", host)
    nowhere = jina.run("dump", "-o", "file/out.jsonl", "--host", host)
    full = jina.run("dump", "-o", "/dev/full", "--host", host)
    flow.stop(signal.SIGTERM)

    assert empty.code == 5
    assert "there is no document" in empty.stderr
    assert (tmp_path / "old.jsonl").read_text() == "old"
    assert nowhere.code == 73
    assert full.code == 74
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_what_cannot_be_done_is_said_before_a_flow_is_started(jina: Jinas) -> None:
    where = jina.run("dump", "--where", "price < ")
    missing = jina.run("dump", "--workspace", "none")
    no_file = jina.run("load", "none.jsonl")

    assert where.code == 2
    assert "column 9" in where.stderr
    assert missing.code == 66
    assert no_file.code == 66


def test_a_bad_line_costs_only_itself(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        '{"id": "a", "text": "x"}\n{broken\n{"id": "b", "text": "y"}\n'
    )

    done = jina.run("load", "in.jsonl", "--errors-to", "bad.jsonl", "--json")

    assert done.code == 65
    assert objects(done.stdout)[0]["documents"] == 2
    assert json.loads((tmp_path / "bad.jsonl").read_text())["line"] == 2
