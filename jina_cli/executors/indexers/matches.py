"""The matches of a search, made of what an index keeps of the documents that were found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, compress
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    NodesColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.executors.indexers.bodies import beside_of, rows_of_bodies
from jina_cli.executors.indexers.whole import merged_column
from jina_cli.store.records import Found, Stored
from jina_cli.store.snapshot import Snapshot
from jina_cli.store.store import Store

Fields: TypeAlias = Sequence[str] | None

_PLAIN = (TextColumn, ValuesColumn, NodesColumn)


def matches_of(
    store: Store, found: Found, *, fields: Fields = None, vector_field: str = ""
) -> DocsColumn:
    """Return what was found as matches, in the same order, with their scores.

    Documents that were deleted since they were found are left out, unless nothing is read
    of them. Where they hold things of different kinds in a field of one name, that field
    has values as in JSON.

    Args:
        fields: Those to return; by default all that are text or plain values. Nothing else
            is read, as far as that is possible.
        vector_field: Field that the vector stands in.
    """
    distinct = list(dict.fromkeys(chain.from_iterable(found.ids)))
    if fields is not None and not fields:
        documents = DocumentBatch(distinct)
    else:
        with store.snapshot() as now:
            documents = _documents(now, distinct, fields, vector_field)
    return _in_order(found, documents)


def _in_order(found: Found, documents: DocumentBatch) -> DocsColumn:
    place_of = {id_: place for place, id_ in enumerate(documents.ids)}
    places = np.array([place_of.get(id_, -1) for ids in found.ids for id_ in ids], np.int64)
    is_there = places >= 0
    ends = np.cumsum([0, *map(len, found.ids)])
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(is_there)])[ends]
    scores = compress(chain.from_iterable(map(floats_of, found.scores)), is_there.tolist())
    matches = documents.take(places[is_there])
    return DocsColumn(offsets, matches.with_columns(score=ValuesColumn(list(scores))))


def _documents(
    now: Snapshot, ids: Iterable[str], fields: Fields, vector_field: str
) -> DocumentBatch:
    briefs = now.briefs(ids)
    rows = rows_of_bodies(briefs)
    places = [
        place
        for place, row in enumerate(rows)
        if (None in row.values() and briefs[place].has_rest)
        or (fields is not None and not all(name in row for name in fields))
    ]
    if fields is None or (vector_field not in fields):
        places = [place for place in places if briefs[place].has_rest]
    whole = now.get(briefs[place].id for place in places)
    columns: dict[int, Mapping[str, Column]] = {
        place: _beside(whole[briefs[place].id], fields, vector_field) for place in places
    }
    names = dict.fromkeys(chain(chain.from_iterable(rows), chain.from_iterable(columns.values())))
    kept = [name for name in names if fields is None or name in fields]
    made = {name: merged_column(name, rows, columns) for name in kept}
    return DocumentBatch(
        [brief.id for brief in briefs],
        {name: column for name, column in made.items() if column is not None},
    )


def _beside(stored: Stored, fields: Fields, vector_field: str) -> Mapping[str, Column]:
    """Return those fields of a document that are to be returned and are not in its body."""
    return {
        name: column
        for name, column in beside_of(stored, vector_field=vector_field).items()
        if (isinstance(column, _PLAIN) if fields is None else name in fields)
    }


def floats_of(scores: NDArray[np.floating[Any]]) -> list[float]:
    """Return scores as numbers that show no more digits than they have: 0.9 for float32's 0.9."""
    if scores.dtype != np.float32 or not np.isfinite(scores).all():
        return list(scores.tolist())
    shortest = orjson.dumps(np.ascontiguousarray(scores), option=orjson.OPT_SERIALIZE_NUMPY)
    numbers: list[float] = orjson.loads(shortest)
    return numbers
