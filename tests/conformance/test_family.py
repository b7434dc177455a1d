"""One question, every built-in Executor: what all of them do with the batches they get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.rows import to_rows
from jina_cli.drivers.base import Done
from jina_cli.errors import MissingExtra
from jina_cli.executors.base import Executor, Indexer
from jina_cli.executors.calls import Call, Handler
from jina_cli.executors.handlers import handler_for, handlers_of
from jina_cli.extras import MissingLibrary
from jina_cli.vocabulary import DEFAULT_ENDPOINT
from tests.testing.family import (
    NAMES,
    WRONG,
    a_service,
    bare,
    described,
    documents,
    endpoints,
    example,
)

ABOUT_ALL = {"/train", "/status", "/count", "/dump"}
"""Endpoints whose answers are not about the documents of a request one by one."""


class Bench:
    """Makes Executors of one kind, by YAML as a user writes it, and closes them."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        self.name = name
        self._folder = folder
        self._arguments = example(name, folder, url)
        self._made: list[Executor] = []
        self._count = 0
        self._lacks = ""
        self.shared: Asked | None = None

    def make(self) -> Asked:
        """Return a new one, with a workspace of its own."""
        if self._lacks:
            pytest.skip(self._lacks)
        self._count += 1
        place = self._folder / f"{self._count}"
        place.mkdir()
        file = place / "executor.yml"
        said = {"jtype": self.name, "with": self._arguments, "metas": {"name": "mine"}}
        file.write_text(yaml.safe_dump(said))
        try:
            made = Executor.load_config(str(file), runtime_args={"workspace": str(place / "work")})
        except (MissingExtra, MissingLibrary) as missing:
            self._lacks = str(missing)
            pytest.skip(self._lacks)
        self._made.append(made)
        return Asked(made)

    def close(self) -> None:
        for executor in self._made:
            executor.close()


class Asked:
    """An Executor and what answers its endpoints."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.handlers = handlers_of(executor)

    def handler(self, endpoint: str) -> Handler | None:
        return handler_for(self.handlers, endpoint)

    def __call__(self, endpoint: str, docs: DocumentBatch) -> Done:
        handler = self.handler(endpoint)
        if handler is None:
            return Done(docs=docs)
        return asyncio.run(_answered(handler, docs))

    def answer_or_error(self, endpoint: str, docs: DocumentBatch) -> Done | ValueError:
        """Return the answer, or that the documents are not what it takes."""
        try:
            return self(endpoint, docs)
        except ValueError as error:
            return error

    def prepare(self, docs: DocumentBatch, *, by_one: bool = False) -> None:
        """Let it learn and keep what it can."""
        if "/train" in self.handlers:
            self("/train", docs)
        if isinstance(self.executor, Indexer):
            for part in ones(docs) if by_one else [docs]:
                self("/index", part)


async def _answered(handler: Handler, docs: DocumentBatch) -> Done:
    return await handler(Call(docs=docs, parts=(docs,)))


def ones(docs: DocumentBatch) -> list[DocumentBatch]:
    return [docs.slice(place, place + 1) for place in range(len(docs))]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with a_service() as found:
        yield found


@pytest.fixture(scope="module", params=NAMES)
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, url: str
) -> Iterator[Bench]:
    made = Bench(request.param, tmp_path_factory.mktemp("family"), url)
    yield made
    made.close()


@pytest.fixture
def asked(bench: Bench) -> Asked:
    """Return an Executor that has learnt and keeps all it can; each test gets the same one."""
    if bench.shared is None:
        bench.shared = bench.make()
        bench.shared.prepare(documents())
    return bench.shared


def test_it_is_described_with_an_example_and_serves_what_is_said(
    bench: Bench, asked: Asked
) -> None:
    said = described()[bench.name]

    assert said["description"].endswith(".")
    assert "example" in said or not said["with"]["properties"]
    assert sorted(asked.handlers) == sorted(said["endpoints"])
    assert (type(asked.executor).__doc__ or "").strip()


def test_its_example_answers_on_each_endpoint(bench: Bench) -> None:
    docs, fresh = documents(), bench.make()

    for endpoint in endpoints(bench.name):
        done = fresh(endpoint, docs)
        assert set(done.docs.ids) <= set(docs.ids)
        assert list(done.docs.ids) == list(docs.ids) or endpoint in ABOUT_ALL | {"/get"}


def test_an_empty_batch_is_answered_with_none(bench: Bench, asked: Asked) -> None:
    for endpoint in [*endpoints(bench.name), "/delete"]:
        done = asked(endpoint, EMPTY_BATCH)
        assert len(done.docs) == 0 or endpoint == "/dump"


def test_one_document_is_answered_as_it_is_among_many(bench: Bench, asked: Asked) -> None:
    docs, other = documents(), asked
    if isinstance(asked.executor, Indexer):
        other = bench.make()
        other.prepare(docs, by_one=True)

    for endpoint in endpoints(bench.name):
        if endpoint in ABOUT_ALL:
            continue
        together = to_rows(asked(endpoint, docs).docs)
        apart = [row for one in ones(docs) for row in to_rows(other(endpoint, one).docs)]
        # Products of matrices round by their shapes, in single precision.
        assert apart == [same(row) for row in together], endpoint


def test_the_order_of_documents_makes_no_difference(bench: Bench, asked: Asked) -> None:
    docs = documents()
    turned = docs.take(range(len(docs) - 1, -1, -1))

    for endpoint in endpoints(bench.name):
        if endpoint not in ABOUT_ALL:
            there = to_rows(asked(endpoint, docs).docs)
            back = to_rows(asked(endpoint, turned).docs)
            assert back[::-1] == [same(row) for row in there], endpoint


def test_a_batch_is_not_written_into(bench: Bench, asked: Asked) -> None:
    docs = documents()

    for endpoint in endpoints(bench.name):
        asked(endpoint, docs)

    assert to_rows(docs) == to_rows(documents())


def test_documents_that_lack_all_fields_pass_or_are_named(bench: Bench, asked: Asked) -> None:
    for endpoint in endpoints(bench.name):
        answer = asked.answer_or_error(endpoint, bare())
        if isinstance(answer, ValueError):
            assert is_clear(answer)
            assert "d00" in str(answer)
        else:
            assert list(answer.docs.ids) == ["d00"] or endpoint in ABOUT_ALL


@pytest.mark.parametrize("field", sorted(WRONG))
def test_content_of_a_wrong_type_is_refused_or_not_looked_at(
    bench: Bench, asked: Asked, field: str
) -> None:
    docs = documents(1).without("matches").with_columns(**{field: WRONG[field]})

    for endpoint in endpoints(bench.name):
        answer = asked.answer_or_error(endpoint, docs)
        if isinstance(answer, ValueError):
            assert is_clear(answer)
        else:
            assert list(answer.docs.ids) == list(docs.ids) or endpoint in ABOUT_ALL


def is_clear(error: ValueError) -> bool:
    """Return whether an error is one line of ours, not what some library says."""
    return "\n" not in str(error) and not isinstance(error, UnicodeError | json.JSONDecodeError)


def same(value: Any) -> Any:
    """Return what equals a value but for rounding."""
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-4, abs=1e-5)
    if isinstance(value, Mapping):
        return {key: same(inner) for key, inner in value.items()}
    return [same(inner) for inner in value] if isinstance(value, list) else value


def test_each_endpoint_that_the_schema_names_is_one() -> None:
    for said in described().values():
        served = said["endpoints"]
        assert served == sorted(set(served))
        assert served == [DEFAULT_ENDPOINT] or DEFAULT_ENDPOINT not in served
