"""Chunks and matches as what they are to their document: levels and parents right to any depth.

A chunk is one finer than its document: `granularity` one more, the same `adjacency`, its
`parent_id`, and its `mime_type` where it has none of its own. A match is one farther away:
`adjacency` one more, the same `granularity`, and `ref_id`, the document that it is a match of.
(Jina 0.9 has the last as `score.ref_id`.) A document that has no level is at level 0.

The same holds for the chunks and matches that these have, and so on. What documents claimed of
themselves before is replaced, so a document that was a chunk in an index is a root document where
it is asked with, and a match of level 0 where it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import Column, DocsColumn, TextColumn, ValuesColumn
from jina_cli.documents.limits import MAX_LEVELS

if TYPE_CHECKING:
    from docarray import BaseDoc


@dataclass(frozen=True, slots=True)
class _Relation:
    """What documents in a field are to the document that has it.

    Attributes:
        field: `chunks` or `matches`.
        rises: The level that is one more than the document's.
        stays: The level that is the same.
        owner: The field that names the document.
    """

    field: str
    rises: str
    stays: str
    owner: str


_CHUNKS = _Relation("chunks", rises="granularity", stays="adjacency", owner="parent_id")
_MATCHES = _Relation("matches", rises="adjacency", stays="granularity", owner="ref_id")
_RELATIONS = (_CHUNKS, _MATCHES)


def as_chunks(docs: DocumentBatch, chunks: DocsColumn) -> DocsColumn:
    """Return lists of documents as the chunks of `docs`, one list for each.

    Only levels, `parent_id` and a missing `mime_type` change; all else is shared.

    Raises:
        ValueError: There is another number of lists, or documents are nested too deep.
    """
    return _related(docs, chunks, _CHUNKS, MAX_LEVELS)


def as_matches(docs: DocumentBatch, matches: DocsColumn) -> DocsColumn:
    """Return lists of documents as the matches of `docs`, one list for each.

    Only levels and `ref_id` change; all else is shared.

    Raises:
        ValueError: There is another number of lists, or documents are nested too deep.
    """
    return _related(docs, matches, _MATCHES, MAX_LEVELS)


def with_relatives(docs: DocumentBatch) -> DocumentBatch:
    """Return documents whose chunks and matches, to any depth, say what they are to them.

    Raises:
        ValueError: Documents are nested too deep.
    """
    return _with_relatives(docs, MAX_LEVELS)


def count_chunks(docs: DocumentBatch) -> int:
    """Return how many chunks documents have, those of chunks included."""
    column = docs.docs("chunks")
    return 0 if column is None else len(column.docs) + count_chunks(column.docs)


def add_chunks(doc: BaseDoc, chunks: Iterable[BaseDoc]) -> None:
    """Append chunks to those of a document, in place.

    Fields that the classes do not declare are left out.
    """
    _add(doc, chunks, _CHUNKS)


def add_matches(doc: BaseDoc, matches: Iterable[BaseDoc]) -> None:
    """Append matches to those of a document, in place.

    Fields that the classes do not declare are left out.
    """
    _add(doc, matches, _MATCHES)


def _with_relatives(docs: DocumentBatch, levels: int) -> DocumentBatch:
    known = {relation: docs.docs(relation.field) for relation in _RELATIONS}
    columns: dict[str, Column] = {
        relation.field: _related(docs, column, relation, levels)
        for relation, column in known.items()
        if column is not None
    }
    return docs.with_columns(**columns) if columns else docs


def _related(
    docs: DocumentBatch, lists: DocsColumn, relation: _Relation, levels: int
) -> DocsColumn:
    if len(lists) != len(docs):
        raise ValueError(f"{len(lists)} lists of {relation.field} for {len(docs)} documents")
    if levels == 0:
        raise ValueError(f"documents are nested deeper than {MAX_LEVELS}")
    inner = lists.docs
    if not len(inner):
        return lists
    owners = np.repeat(np.arange(len(docs)), np.diff(lists.offsets)).tolist()
    risen = [(level or 0) + 1 for level in docs.values(relation.rises)]
    columns: dict[str, Column] = {
        relation.owner: TextColumn([docs.ids[owner] for owner in owners]),
        relation.rises: ValuesColumn([risen[owner] for owner in owners]),
    }
    if relation.stays in docs.columns:
        same = docs.values(relation.stays)
        columns[relation.stays] = ValuesColumn([same[owner] for owner in owners])
    else:
        inner = inner.without(relation.stays)
    if relation is _CHUNKS and "mime_type" in docs.columns:
        columns["mime_type"] = _inherited("mime_type", docs, inner, owners)
    return replace(lists, docs=_with_relatives(inner.with_columns(**columns), levels - 1))


def _inherited(
    name: str, docs: DocumentBatch, inner: DocumentBatch, owners: Sequence[int]
) -> TextColumn:
    theirs = docs.values(name)
    pairs = zip(inner.values(name), owners, strict=True)
    return TextColumn([theirs[owner] if value is None else value for value, owner in pairs])


def _add(doc: BaseDoc, others: Iterable[BaseDoc], relation: _Relation) -> None:
    known = getattr(doc, relation.field)
    for other in others:
        _relate(doc, other, relation)
        known.append(other)


def _relate(doc: BaseDoc, other: BaseDoc, relation: _Relation) -> None:
    _set(other, relation.owner, doc.id)
    _set(other, relation.rises, (getattr(doc, relation.rises, None) or 0) + 1)
    _set(other, relation.stays, getattr(doc, relation.stays, None))
    if relation is _CHUNKS and getattr(other, "mime_type", None) is None:
        _set(other, "mime_type", getattr(doc, "mime_type", None))
    for inner in _RELATIONS:
        for one in getattr(other, inner.field, None) or ():
            _relate(other, one, inner)


def _set(doc: BaseDoc, name: str, value: object) -> None:
    if name in type(doc).model_fields:
        setattr(doc, name, value)
