"""What callers give, as batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from docarray import BaseDoc, DocList

from jina_cli.client.errors import BadClientInput
from jina_cli.client.inputs import batches_of
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.rows import from_rows


class Note(BaseDoc):
    text: str = ""


def _batch(*texts: str) -> DocumentBatch:
    return from_rows([{"id": text, "text": text} for text in texts])


async def _here(batches: Iterator[DocumentBatch]) -> AsyncIterator[DocumentBatch]:
    for batch in batches:
        yield batch


def texts_of(inputs: Any, size: int) -> list[list[str]]:
    async def run() -> list[list[str]]:
        return [list(batch.text()) async for batch in batches_of(inputs, size, _here)]

    return asyncio.run(run())


async def _async_notes() -> AsyncIterator[Note]:
    for text in "abc":
        yield Note(text=text)


NOTES = [Note(text=text) for text in "abc"]


@pytest.mark.parametrize(
    "inputs",
    [
        NOTES,
        tuple(NOTES),
        DocList[Note](NOTES),
        iter(NOTES),
        lambda: iter(NOTES),
        lambda: NOTES,
        [{"text": "a"}, {"text": "b"}, {"text": "c"}],
        _batch("a", "b", "c"),
        [_batch("a", "b", "c")],
        _async_notes,
    ],
)
def test_documents_come_in_requests_of_the_wanted_size(inputs: Any) -> None:
    assert texts_of(inputs, 2) == [["a", "b"], ["c"]]


@pytest.mark.parametrize("size", [0, -1])
def test_no_size_puts_loose_documents_into_one_request_and_keeps_batches(size: int) -> None:
    assert texts_of(NOTES, size) == [["a", "b", "c"]]
    assert texts_of([_batch("a"), _batch("b", "c")], size) == [["a"], ["b", "c"]]


@pytest.mark.parametrize("one", [Note(text="a"), {"text": "a"}, _batch("a")])
def test_one_document_needs_no_list(one: Any) -> None:
    assert texts_of(one, 100) == [["a"]]


def test_batches_and_documents_may_follow_each_other() -> None:
    assert texts_of([NOTES[0], _batch("x", "y"), NOTES[1]], 100) == [["a"], ["x", "y"], ["b"]]


def test_files_are_read_where_paths_stand(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n{"text": "c"}\n')

    assert texts_of(tmp_path / "a.jsonl", 2) == [["a", "b"], ["c"]]
    assert texts_of([tmp_path / "a.jsonl"], 100) == [["a", "b", "c"]]


def test_a_bad_row_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n{broken\n')

    with pytest.raises(BadClientInput, match=r"a\.jsonl line 2: "):
        texts_of(path, 100)


@pytest.mark.parametrize(
    "inputs", ["text", b"bytes", 5, ["text"], [{"id": "1"}, 5], iter("ab"), [NOTES[0], {"id": "1"}]]
)
def test_what_is_no_document_is_refused_as_jina_and_as_python_name_it(inputs: Any) -> None:
    with pytest.raises(BadClientInput) as caught:
        texts_of(inputs, 100)

    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)


def test_a_text_is_told_how_it_can_be_given() -> None:
    with pytest.raises(BadClientInput, match=r"not a str: a text is \{'text': …\}"):
        texts_of("bread", 100)


def test_a_generator_is_closed_when_its_documents_are_wanted_no_more() -> None:
    closed: list[bool] = []

    def endless() -> Iterator[Note]:
        try:
            while True:
                yield Note()
        finally:
            closed.append(True)

    async def run() -> None:
        batches = batches_of(endless(), 2, lambda items: _closing(items))
        await anext(batches)
        await batches.aclose()  # type: ignore[attr-defined]

    async def _closing(items: Iterator[DocumentBatch]) -> AsyncIterator[DocumentBatch]:
        try:
            for item in items:
                yield item
        finally:
            items.close()  # type: ignore[attr-defined]

    asyncio.run(run())

    assert closed == [True]
