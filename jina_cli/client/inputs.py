"""What callers give a client, as batches of documents of the size they asked for."""

from __future__ import annotations

import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from jina_cli.client.errors import BadClientInput
from jina_cli.documents.batch import DocumentBatch

if TYPE_CHECKING:
    from docarray import BaseDoc

    Item: TypeAlias = DocumentBatch | BaseDoc | Mapping[str, Any] | Path
    Inputs: TypeAlias = (
        Item | Iterable[Item] | AsyncIterable[Item] | Callable[[], Iterable[Item]] | None
    )

Threaded: TypeAlias = Callable[[Iterator[DocumentBatch]], AsyncIterator[DocumentBatch]]
"""Iterates over what may block somewhere else than in the event loop."""

_TAKES = "inputs are documents, dicts, a DocumentBatch, paths, or an iterable of them"


def batches_of(inputs: Inputs, size: int, threaded: Threaded) -> AsyncIterator[DocumentBatch]:
    """Yield the documents in batches of `size`, the last of which may be smaller.

    Nothing is read before it is asked for. With a `size` of 0 or less, loose documents make
    one batch, and each `DocumentBatch` stays as it is. A function is called for its inputs.

    Args:
        threaded: For an iterator, which may block.

    Raises:
        BadClientInput: There is something that is no document.
    """
    if callable(inputs):
        inputs = inputs()
    if isinstance(inputs, AsyncIterable):
        return _gathered(inputs, size)
    if _is_one(inputs):
        return _listed([inputs], size)
    if isinstance(inputs, str | bytes) or not isinstance(inputs, Iterable):
        raise _wrong(inputs)
    if hasattr(inputs, "__len__") and not _has_paths(inputs):
        return _listed(inputs, size)
    return threaded(_grouped(inputs, size))


def _has_paths(inputs: Iterable[Any]) -> bool:
    return isinstance(inputs, Sequence) and any(isinstance(item, Path) for item in inputs)


async def _listed(inputs: Iterable[Any], size: int) -> AsyncGenerator[DocumentBatch, None]:
    for batch in _grouped(inputs, size):
        yield batch


async def _gathered(inputs: AsyncIterable[Any], size: int) -> AsyncGenerator[DocumentBatch, None]:
    loose: list[Any] = []
    try:
        async for item in inputs:
            for batch in _added(item, loose, size):
                yield batch
        if loose:
            yield _converted(loose)
    finally:
        if isinstance(inputs, AsyncGenerator):
            await inputs.aclose()


def _grouped(inputs: Iterable[Any], size: int) -> Iterator[DocumentBatch]:
    loose: list[Any] = []
    items = iter(inputs)
    try:
        for item in items:
            yield from _added(item, loose, size)
        if loose:
            yield _converted(loose)
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _added(item: Any, loose: list[Any], size: int) -> Iterator[DocumentBatch]:
    """Add one item to the loose ones; yield the batches that are full then."""
    if isinstance(item, DocumentBatch | Path):
        if loose:
            yield _converted(loose)
            loose.clear()
        for batch in [item] if isinstance(item, DocumentBatch) else _read(item, size):
            yield from _sliced(batch, size)
        return
    if not _is_one(item):
        raise _wrong(item, among=True)
    loose.append(item)
    if len(loose) == size:
        yield _converted(loose)
        loose.clear()


def _sliced(batch: DocumentBatch, size: int) -> Iterator[DocumentBatch]:
    if size <= 0 or len(batch) <= size:
        yield batch
        return
    for start in range(0, len(batch), size):
        yield batch.slice(start, start + size)


def _is_one(value: object) -> bool:
    if isinstance(value, DocumentBatch | Mapping | Path):
        return True
    from docarray import BaseDoc

    return isinstance(value, BaseDoc)


def _read(path: Path, size: int) -> Iterator[DocumentBatch]:
    """Read a file or folder as `jina index` does."""
    from jina_cli.documents.readers import find_sources, read_batches, read_sources

    items = read_sources(find_sources([os.fspath(path)]))
    for batch in read_batches(items, size=size if size > 0 else 2**31):
        if batch.errors:
            error = batch.errors[0]
            raise BadClientInput(f"{error.source} line {error.line}: {error.reason}")
        if len(batch.docs):
            yield batch.docs


def _converted(items: Sequence[Any]) -> DocumentBatch:
    try:
        if all(isinstance(item, Mapping) for item in items):
            from jina_cli.documents.rows import from_rows

            return from_rows(items)
        if any(isinstance(item, Mapping) for item in items):
            raise BadClientInput("dicts and documents cannot be mixed")
        from jina_cli.documents.convert import from_docs

        return from_docs(items)
    except BadClientInput:
        raise
    except ValueError as error:
        raise BadClientInput(str(error)) from error


def _wrong(value: object, *, among: bool = False) -> BadClientInput:
    name = type(value).__name__
    kind = f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
    hint = "a text is {'text': …}, a file Path(…)" if isinstance(value, str) else ""
    what = f"{_TAKES}, not {kind}{' among what is iterated over' if among else ''}"
    return BadClientInput(what, hint=hint)
