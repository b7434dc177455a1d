"""Documents as an index keeps them, and the matches of a search made of them again.

A body is one document in the columnar format without its id and without what the index keeps
beside it: the vector, and the text if that is what is searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    Indices,
    NodesColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.columns import decode, encode
from jina_cli.store.records import Found, Stored
from jina_cli.store.store import Store

_OF_A_SEARCH = ("matches", "score", "scores")
"""What a search says of a document; of no use to the next one."""


@contextmanager
def refusing_bad_fields() -> Iterator[None]:
    """Turn what a store or the columnar format refuses into the error of a bad request.

    Raises:
        BadField: In place of any other ValueError.
    """
    try:
        yield
    except BadField:
        raise
    except ValueError as error:
        raise BadField(str(error)) from error


def bodies_of(docs: DocumentBatch) -> list[bytes]:
    """Return the fields of each document as bytes; none for a document without fields.

    Raises:
        BadColumns: A field cannot be kept, such as an array of objects.
    """
    kept = docs.without(*_OF_A_SEARCH)
    if not kept.columns:
        return [b""] * len(kept)
    places = np.arange(len(kept))[:, None]
    return [b"".join(encode(_alone(kept, place))) for place in places]


def document_of(stored: Stored, *, vector_field: str = "") -> DocumentBatch:
    """Return a document as it was indexed, in a batch of its own.

    Args:
        vector_field: Field that the vector stands in.
    """
    fields: dict[str, Column] = dict(decode(stored.body).columns) if stored.body else {}
    if stored.text is not None and "text" not in fields:
        fields["text"] = TextColumn([stored.text])
    if vector_field and stored.vector is not None:
        fields[vector_field] = TensorColumn(stored.vector[None])
    return DocumentBatch([stored.id], fields)


def matches_of(
    store: Store, found: Found, *, fields: Sequence[str] | None = None, vector_field: str = ""
) -> DocsColumn:
    """Return what was found as matches, in the same order, with their scores.

    Documents that were deleted since they were found are left out.

    Args:
        fields: Those to return; by default all that are text or plain values.
        vector_field: Field that the vector stands in.

    Raises:
        ColumnsDiffer: Documents hold things of different kinds in a field of one name.
    """
    known = store.get([id_ for ids in found.ids for id_ in ids])
    place_of = {id_: place for place, id_ in enumerate(known)}
    lengths, places, scores = [0], [], []
    for ids, of_query in zip(found.ids, found.scores, strict=True):
        for id_, score in zip(ids, of_query.tolist(), strict=True):
            if id_ in place_of:
                places.append(place_of[id_])
                scores.append(score)
        lengths.append(len(places))
    documents = _documents(known.values(), fields, vector_field).take(places)
    return DocsColumn(
        np.array(lengths, np.int64), documents.with_columns(score=ValuesColumn(scores))
    )


def _documents(
    known: Iterable[Stored], fields: Sequence[str] | None, vector_field: str
) -> DocumentBatch:
    if fields is not None and not fields:
        return DocumentBatch([stored.id for stored in known])
    chosen = (_chosen(document_of(stored, vector_field=vector_field), fields) for stored in known)
    return DocumentBatch.concat(chosen)


def _chosen(document: DocumentBatch, fields: Sequence[str] | None) -> DocumentBatch:
    if fields is not None:
        return document.only(*fields)
    plain = (TextColumn, ValuesColumn, NodesColumn)
    return document.only(
        *(n for n, column in document.columns.items() if isinstance(column, plain))
    )


def _alone(docs: DocumentBatch, place: Indices) -> DocumentBatch:
    columns = {name: column.take(place) for name, column in docs.columns.items()}
    return DocumentBatch([""], columns)
