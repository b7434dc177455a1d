"""Executors written for Jina 3, run as they are in a Flow of ours; Jina is not installed."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docarray import DocList

import jina_cli
from jina_cli import AsyncClient, Client
from tests.testing.processes import Jinas, Started, wait_until

pytestmark = pytest.mark.anyio
FIXTURES = Path(__file__).parents[1] / "fixtures" / "jina3"
sys.path.insert(0, str(FIXTURES))
from schemas import Article, Author, Found, Passage, Token  # type: ignore[import-not-found]  # noqa: E402

TEXTS = ["the heron waits in shallow water", "compilers turn text into machines", "a loaf of rye"]


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("jina3")
    shutil.copytree(FIXTURES, folder, dirs_exist_ok=True)
    with Jinas(folder) as jinas:
        started = jinas.start("flow", "--uses", "flow.yml", "--workspace", "w")
        wait_until(lambda: "ready in" in started.stderr, 60, "the Flow to be ready")
        yield started


@pytest.fixture(scope="module")
def address(flow: Started) -> str:
    return next(word.rstrip(",") for word in flow.stderr.split() if word.startswith("grpc://"))


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(host=address)


@pytest.fixture(scope="module")
def indexed(client: Client) -> list[Any]:
    articles = DocList[Article](
        Article(
            id=str(n),
            text=text,
            year=1999 + n,
            author=Author(name="A", emails=["a@example.org"]),
            passages=DocList[Passage]([Passage(text=text[:5])]),
            tags={"kind": "note"},
        )
        for n, text in enumerate(TEXTS)
    )
    return list(client.post("/index", inputs=articles, request_size=1))


def test_no_other_jina_is_installed_here() -> None:
    assert importlib.metadata.version("jina") == jina_cli.__version__


def test_a_program_may_begin_with_the_import_name_jina() -> None:
    program = "from jina import Client, Executor, Flow; print(Flow.__module__, Client.__module__)"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["jina_cli.orchestrate.flow", "jina_cli.client.client"]


def test_articles_are_encoded_and_kept_with_all_their_fields(
    client: Client, indexed: list[Any]
) -> None:
    found = client.post(
        "/search",
        inputs=DocList[Article]([Article(text="heron in water")]),
        parameters={"limit": 2},
        return_type=DocList[Found],
    )

    best = found[0].articles[0]
    assert (len(indexed), len(found[0].articles)) == (3, 2)
    assert (best.id, best.text, best.year, best.tags) == ("0", TEXTS[0], 1999, {"kind": "note"})
    assert (best.author.name, best.author.emails) == ("A", ["a@example.org"])
    assert best.passages[0].text == "the h"
    assert best.embedding.shape == (32,)
    assert found[0].scores[0] > found[0].scores[1]


def test_what_the_parameters_model_does_not_take_is_refused_by_name(client: Client) -> None:
    with pytest.raises(Exception, match="limit"):
        client.post("/search", inputs=Article(text="x"), parameters={"limit": 0})


def test_dicts_come_back_as_results(client: Client, indexed: list[Any]) -> None:
    responses = client.post("/stats", parameters={"who": "me"}, return_responses=True)

    results = responses[0].parameters["__results__"]
    assert list(results.values()) == [{"articles": 3, "asked_by": "me"}]


@pytest.mark.parametrize("endpoint", ["/write", "/spell"])
async def test_a_generator_is_streamed_to_the_client(address: str, endpoint: str) -> None:
    client = AsyncClient(host=address)
    tokens = [
        token
        async for token in client.stream_doc(
            on=endpoint, inputs=Article(text="ab cd"), return_type=Token
        )
    ]

    expected = ["AB", "CD"] if endpoint == "/write" else list("ab cd")
    assert [token.text for token in tokens] == expected
    assert [token.position for token in tokens] == list(range(len(expected)))
