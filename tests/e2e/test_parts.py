"""`jina executor`, `jina deployment`, `jina gateway`, `jina post` and what `jina export` asks."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas, Started, wait_until

EXECUTORS = """
from jina import Document, Executor, requests

class Mark(Executor):
    def __init__(self, mark="!", **kwargs):
        super().__init__(**kwargs)
        self.mark = mark

    @requests
    def go(self, docs, **kwargs):
        for doc in docs:
            doc.text += str(self.mark)

    @requests(on="/count")
    def count(self, docs, **kwargs):
        return {"n": len(docs)}

    @requests(on="/letters")
    async def letters(self, doc: Document, **kwargs) -> Document:
        for letter in doc.text:
            yield Document(text=letter)
"""


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    (tmp_path / "mine.py").write_text(EXECUTORS)
    (tmp_path / "one.yml").write_text(
        "jtype: Deployment\nwith: {uses: 'mine.py:Mark', name: one, uses_with: {mark: '?'}}\n"
    )
    (tmp_path / "flow.yml").write_text("jtype: Flow\nexecutors: [{uses: 'mine.py:Mark'}]\n")
    with Jinas(tmp_path) as jinas:
        yield jinas


def _address(started: Started, scheme: str = "grpc") -> str:
    wait_until(lambda: "ready in" in started.stderr or started.code is not None, 30, "ready")
    words = [word.rstrip(",") for word in started.stderr.split()]
    return next(word for word in words if word.startswith(f"{scheme}://"))


def test_two_executors_alone_are_put_behind_one_gateway(jina: Jinas) -> None:
    one = jina.start("executor", "--uses", "mine.py:Mark", "--uses-with", "mark=1", "--native")
    two = jina.start("deployment", "--uses", "one.yml", "--port", "0", "--protocol", "GRPC")
    addresses = {"a": [_address(one)], "b": [_address(two)]}
    gateway = jina.start(
        "gateway",
        *("--graph-description", '{"start-gateway": ["a"], "a": ["b"], "b": ["end-gateway"]}'),
        *("--deployments-addresses", json.dumps(addresses), "--protocol", "http"),
    )
    address = _address(gateway, "http")

    done = jina.run("post", "/any", "--text", "x", "--host", address)
    ready = jina.run("ping", "flow", address)

    assert (done.code, json.loads(done.stdout)["text"]) == (0, "x1?"), done.stderr
    assert ready.code == 0
    assert [process.stop(signal.SIGTERM) for process in (gateway, two, one)] == [0, 0, 0]


def test_documents_go_to_any_endpoint_and_results_come_as_lines(jina: Jinas) -> None:
    with_text = jina.run("post", "count", "-", "--uses", "flow.yml", stdin="a\nb\n")
    without = jina.run("post", "/count", "--uses", "flow.yml", "--json")

    *documents, results = map(json.loads, with_text.stdout.splitlines())
    assert [doc["text"] for doc in documents] == ["a", "b"]
    assert results == {"__results__": {"executor0/rep-0": {"n": 2}}}
    assert json.loads(without.stdout) == {
        "schema": "jina.post/1",
        "results": {"executor0/rep-0": {"n": 0}},
    }


def test_what_a_generator_yields_is_streamed(jina: Jinas) -> None:
    done = jina.run("post", "/letters", "--text", "abc", "--stream", "--uses", "flow.yml")

    assert done.code == 0, done.stderr
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["a", "b", "c"]


def test_the_openapi_description_is_asked_of_the_flow(jina: Jinas, tmp_path: Path) -> None:
    done = jina.run("export", "openapi", "flow.yml", "-o", "api.json")

    described = json.loads((tmp_path / "api.json").read_text())
    assert done.code == 0, done.stderr
    assert {"/count", "/letters"} <= set(described["paths"])


def test_the_proto_files_are_written(jina: Jinas, tmp_path: Path) -> None:
    printed = jina.run("export", "proto")
    written = jina.run("export", "proto", "-o", "protos")

    assert (printed.code, written.code) == (0, 0)
    assert "service JinaRPC" in printed.stdout
    files = sorted(path.name for path in (tmp_path / "protos").iterdir())
    assert files == ["docarray.proto", "jina.proto"]


@pytest.mark.parametrize(
    ("words", "code", "cause"),
    [
        (["executor", "--uses", "mine.py:Mask"], 78, "no class 'Mask' in mine.py"),
        (["executor", "--uses", "flow.yml"], 2, "describes a Flow: jina flow --uses flow.yml"),
        (["executor", "--uses", "none.yml"], 66, "there is no file 'none.yml'"),
        (["executor", "--uses", "mine.py:Mark", "--uses-with", "x"], 2, "not KEY=VALUE"),
        (["gateway", "--deployments-addresses", "{"], 2, "--deployments-addresses is no JSON"),
        (["gateway", "--graph-description", '{"a": []}'], 2, "no address of 'a'"),
        (["gateway", "--uses", "Mine"], 2, "there are no Gateways of one's own"),
        (["post", "/x", "none.txt"], 66, "cannot read none.txt"),
        (["export", "openapi"], 2, "no Flow is named"),
        (["export", "openapi", "--host", "grpc://h:1"], 2, "does not speak HTTP"),
    ],
)
def test_what_is_wrong_is_told(jina: Jinas, words: list[str], code: int, cause: str) -> None:
    done = jina.run(*words)

    assert (done.code, cause in done.stderr) == (code, True), done.stderr
