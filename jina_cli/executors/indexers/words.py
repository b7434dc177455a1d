"""What is searched of documents by words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.executors.indexers.bodies import names_of


def searched_fields(given: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the fields that are searched.

    Raises:
        ValueError: There is none, or they are no list of names.
    """
    names = names_of(given, what="fields") or ()
    if not names:
        raise ValueError("fields must name at least one field")
    return names


def texts_of(docs: DocumentBatch, fields: Sequence[str]) -> list[str | None]:
    """Return the text in some fields of each document, or keys of its `tags`; None for none."""
    if len(fields) == 1 and fields[0] in docs.columns:
        return [text if isinstance(text, str) else None for text in docs.values(fields[0])]
    columns = [_column(docs, field) for field in fields]
    known = [
        [value for value in values if isinstance(value, str)]
        for values in zip(*columns, strict=True)
    ]
    return ["\n".join(values) if values else None for values in known]


def _column(docs: DocumentBatch, field: str) -> Sequence[Any]:
    if field in docs.columns:
        return docs.values(field)
    tags = docs.values("tags")
    return [tag.get(field) if isinstance(tag, Mapping) else None for tag in tags]
