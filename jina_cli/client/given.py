"""What callers of `post` give, as batches of documents."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from jina_cli.client.pump import Pump

if TYPE_CHECKING:
    from docarray import BaseDoc

    from jina_cli.documents.batch import DocumentBatch

    Documents = Sequence[Mapping[str, Any]] | Sequence[BaseDoc]
    Given = DocumentBatch | Iterable[DocumentBatch] | Documents

_TAKES = "post takes a DocumentBatch, an iterable of them, or a list of dicts or Documents"


def batches_of(given: Given | AsyncIterable[DocumentBatch]) -> AsyncIterator[DocumentBatch]:
    """Return what was given as batches; a list of dicts or Documents becomes one.

    Raises:
        TypeError: It is nothing of the kind.
        ValueError: A field of a dict does not hold what it should.
    """
    from jina_cli.documents.batch import DocumentBatch

    if isinstance(given, DocumentBatch):
        return _one(given)
    if isinstance(given, AsyncIterable):
        return aiter(given)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise TypeError(f"{_TAKES}, not {_kind(given)}")
    if not hasattr(given, "__len__"):
        return Pump(given).run()
    items = list(given)
    if all(isinstance(item, DocumentBatch) for item in items):
        return Pump(cast("list[DocumentBatch]", items)).run()
    return _one(_converted(items))


def checked(batch: Any) -> DocumentBatch:
    """Return one of many batches.

    Raises:
        TypeError: It is none.
    """
    from jina_cli.documents.batch import DocumentBatch

    if not isinstance(batch, DocumentBatch):
        raise TypeError(f"{_TAKES}, not {_kind(batch)} among what is iterated over")
    return batch


def _converted(items: Sequence[Any]) -> DocumentBatch:
    if all(isinstance(item, Mapping) for item in items):
        from jina_cli.documents.rows import from_rows

        return from_rows(items)
    from docarray import BaseDoc

    from jina_cli.documents.convert import from_docs

    wrong = next((item for item in items if not isinstance(item, BaseDoc)), None)
    if wrong is not None:
        raise TypeError(f"{_TAKES}, not a list with {_kind(wrong)}")
    return from_docs(items)


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


async def _one(batch: DocumentBatch) -> AsyncIterator[DocumentBatch]:
    yield batch
