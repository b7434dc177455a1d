"""Rows gathered into batches of documents, as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    TextColumn,
    ValuesColumn,
    column_of_arrays,
)
from jina_cli.documents.readers.fields import Fields, fields_of
from jina_cli.documents.readers.row import Items, Pause, Row, RowError, Skipped

_MAX_BATCH_BYTES = 8 * 2**20
"""A batch is handed on when it holds about this much, however few documents that are."""

INDEX_CHARS = 2**17
"""Text that a request to an index holds at most, but for a document that is longer alone: some
150 passages, which a neural encoder takes seconds for, so that a folder of books is no request
that takes longer than a client waits."""


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Documents, where each comes from, and what could not be read on the way to them.

    Attributes:
        docs: May be none, where only errors were found.
        rows: One for each document.
        errors: In the order of the source.
        skipped: Files that were passed by, in the order of the source.
    """

    docs: DocumentBatch
    rows: Sequence[Row]
    errors: Sequence[RowError]
    skipped: Sequence[Skipped] = ()


def read_batches(
    items: Items,
    *,
    size: int,
    field_map: Mapping[str, str] | None = None,
    unseen: set[str] | None = None,
    may_be_tags: bool = False,
    most_chars: int | None = None,
) -> Iterator[ReadBatch]:
    """Yield batches of at most `size` documents, in order, holding one batch in memory.

    A batch is yielded before it is full where its documents are large, where the source
    pauses, and at the end.

    Args:
        field_map: Name in a row → name in the document.
        unseen: Names that no row had so far; those that a row has are taken out.
        may_be_tags: Whether documents without content are taken, if they have tags.
        most_chars: Characters of text after which a batch is handed on; None for any number.
    """
    found: list[Fields] = []
    errors: list[RowError] = []
    skipped: list[Skipped] = []
    length = chars = 0
    for item in items:
        if isinstance(item, Row):
            if unseen:
                unseen.difference_update(item.columns, item.fields)
            checked = fields_of(item, field_map or {}, may_be_tags=may_be_tags)
            if isinstance(checked, Fields):
                found.append(checked)
                length += _length(checked)
                chars += len(checked.text or "")
            else:
                errors.append(checked)
        elif isinstance(item, RowError):
            errors.append(item)
        elif isinstance(item, Skipped):
            skipped.append(item)
        full = max(len(found), len(errors), len(skipped)) >= size
        large = length > _MAX_BATCH_BYTES or (most_chars is not None and chars > most_chars)
        if full or large or (isinstance(item, Pause) and (found or errors or skipped)):
            yield _batch(found, errors, skipped)
            found, errors, skipped, length, chars = [], [], [], 0, 0
    if found or errors or skipped:
        yield _batch(found, errors, skipped)


def _length(fields: Fields) -> int:
    arrays = sum(a.nbytes for a in (fields.tensor, fields.embedding) if a is not None)
    return len(fields.text or "") + len(fields.blob or b"") + len(fields.row.raw) + arrays


def _batch(
    found: Sequence[Fields], errors: Sequence[RowError], skipped: Sequence[Skipped]
) -> ReadBatch:
    columns: dict[str, Column] = {}
    texts, uris = [f.text for f in found], [f.uri for f in found]
    if any(text is not None for text in texts):
        columns["text"] = TextColumn(texts)
    if any(uri is not None for uri in uris):
        columns["uri"] = TextColumn(uris)
    if any(f.blob is not None for f in found):
        columns["blob"] = BytesColumn([f.blob for f in found])
    if any(f.tensor is not None for f in found):
        columns["tensor"] = column_of_arrays([f.tensor for f in found])
    if any(f.embedding is not None for f in found):
        columns["embedding"] = column_of_arrays([f.embedding for f in found])
    if any(f.tags for f in found):
        columns["tags"] = ValuesColumn([dict(f.tags) or None for f in found])
    docs = DocumentBatch([f.id for f in found], columns)
    return ReadBatch(docs, [f.row for f in found], errors, skipped)
