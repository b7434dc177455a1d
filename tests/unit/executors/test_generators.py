"""Methods that yield their answer, part by part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from docarray import BaseDoc, DocList

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn, ValuesColumn
from jina_cli.drivers.base import BadResult
from jina_cli.executors.base import Executor, Surroundings, create, requests
from jina_cli.executors.calls import Call, Handler
from jina_cli.executors.handlers import handlers_of


class Question(BaseDoc):
    text: str = ""


class Word(BaseDoc):
    word: str = ""


class Speaker(Executor):
    """Yields in each way that there is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.closed: list[str] = []

    @requests(on="/later")
    async def later(self, doc: Question, parameters: dict[str, Any]) -> Word:  # type: ignore[misc]
        try:
            for word in doc.text.split():
                await asyncio.sleep(0)
                yield Word(word=word + parameters.get("mark", ""))
        finally:
            self.closed.append("later")

    @requests(on="/now")
    def now(self, doc: Question, **kwargs: Any) -> Iterator[Word]:
        try:
            for word in doc.text.split():
                yield Word(word=word)
        finally:
            self.closed.append("now")

    @requests(on="/all")
    def all(self, docs: DocList[Question]) -> Iterator[DocList[Word]]:
        for doc in docs:
            yield DocList[Word](Word(id=f"{doc.id}-{w}", word=w) for w in doc.text.split())

    @requests(on="/columns")
    async def columns(self, docs: DocumentBatch) -> AsyncIterator[DocumentBatch]:
        yield docs.slice(0, 1)
        yield docs.slice(1, 2)

    @requests(on="/same")
    def same(self, doc: Question) -> Iterator[Question]:
        yield doc

    @requests(on="/nothing")
    def nothing(self, doc: Question) -> Iterator[Word]:
        yield from ()

    @requests(on="/wrong")
    def wrong(self, doc: Question) -> Iterator[Any]:
        yield 3

    @requests(on="/midway")
    def midway(self, doc: Question) -> Iterator[Word]:
        yield Word(word="first")
        raise LookupError("no second")


DOCS = DocumentBatch(["a", "b"], {"text": TextColumn(["one two", "three"])})


@pytest.fixture
def speaker() -> Speaker:
    return create(Speaker, {}, Surroundings())


def handler_of(speaker: Speaker, endpoint: str) -> Handler:
    return handlers_of(speaker)[endpoint]


def parts(speaker: Speaker, endpoint: str, **parameters: Any) -> list[DocumentBatch]:
    async def collect() -> list[DocumentBatch]:
        call = Call(docs=DOCS, parts=(DOCS,), parameters=parameters)
        return [done.docs async for done in handler_of(speaker, endpoint).stream(call)]

    return asyncio.run(collect())


@pytest.mark.parametrize("endpoint", ["/later", "/now"])
def test_each_document_that_is_yielded_is_a_part(speaker: Speaker, endpoint: str) -> None:
    words = [list(part.values("word")) for part in parts(speaker, endpoint)]

    assert words == [["one"], ["two"], ["three"]]


def test_a_generator_gets_the_parameters(speaker: Speaker) -> None:
    assert parts(speaker, "/later", mark="!")[0].values("word") == ["one!"]


def test_a_generator_may_take_all_documents_and_yield_several(speaker: Speaker) -> None:
    assert [list(part.ids) for part in parts(speaker, "/all")] == [["a-one", "a-two"], ["b-three"]]


def test_a_generator_may_work_on_columns(speaker: Speaker) -> None:
    assert [list(part.ids) for part in parts(speaker, "/columns")] == [["a"], ["b"]]


def test_fields_that_the_type_does_not_know_stay_with_their_document(speaker: Speaker) -> None:
    docs = DOCS.with_columns(price=ValuesColumn([1, 2]))

    async def collect() -> list[Any]:
        stream = handler_of(speaker, "/same").stream(Call(docs=docs, parts=(docs,)))
        return [done.docs.values("price")[0] async for done in stream]

    assert asyncio.run(collect()) == [1, 2]


def test_a_generator_may_yield_nothing(speaker: Speaker) -> None:
    assert parts(speaker, "/nothing") == []


def test_what_is_no_document_cannot_be_yielded(speaker: Speaker) -> None:
    with pytest.raises(BadResult) as caught:
        parts(speaker, "/wrong")

    assert str(caught.value) == "Speaker.wrong yields int, and must yield documents"


def test_what_a_generator_raises_midway_comes_after_what_it_yielded(speaker: Speaker) -> None:
    seen: list[Any] = []

    async def each() -> None:
        stream = handler_of(speaker, "/midway").stream(Call(docs=DOCS, parts=(DOCS,)))
        async for done in stream:
            seen.append(done.docs.values("word")[0])

    with pytest.raises(LookupError, match="no second"):
        asyncio.run(each())
    assert seen == ["first"]


@pytest.mark.parametrize("endpoint", ["/later", "/now"])
def test_closing_the_stream_closes_the_generator(speaker: Speaker, endpoint: str) -> None:
    async def begin() -> None:
        stream = handler_of(speaker, endpoint).stream(Call(docs=DOCS, parts=(DOCS,)))
        await anext(stream)
        await stream.aclose()

    asyncio.run(begin())

    assert speaker.closed == [endpoint.removeprefix("/")]


def test_asked_for_no_stream_all_parts_come_as_one(speaker: Speaker) -> None:
    async def called() -> list[Any]:
        done = await handler_of(speaker, "/now")(Call(docs=DOCS, parts=(DOCS,)))
        return list(done.docs.values("word"))

    assert asyncio.run(called()) == ["one", "two", "three"]


def test_the_types_of_a_generator_are_what_it_takes_and_yields(speaker: Speaker) -> None:
    handlers = handlers_of(speaker)

    assert [handlers[e].output_type for e in ("/later", "/now", "/all")] == [Word, Word, Word]
    assert handlers["/all"].input_type is Question
    assert [handlers[e].is_singleton for e in ("/now", "/all")] == [True, False]
    assert [handlers[e].is_async for e in ("/later", "/now")] == [True, False]
