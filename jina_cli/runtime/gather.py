"""Several answers to one request as one: joins, and the shards of a Pod.

Nothing here depends on which answer came first in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import Array, DocsColumn, Indices
from jina_cli.documents.merge import union
from jina_cli.documents.sharding import shard_of

__all__ = ["in_order", "merge_pages", "merge_top_k", "put_back", "shard_of", "split", "union"]

MATCHES = "matches"


def split(docs: DocumentBatch, shards: int) -> list[DocumentBatch]:
    """Return the documents of each shard, in order; some may be none."""
    places: list[list[int]] = [[] for _ in range(shards)]
    for place, id_ in enumerate(docs.ids):
        places[shard_of(id_, shards)].append(place)
    return [docs if len(own) == len(docs) else docs.take(own) for own in places]


def put_back(order: Sequence[str], parts: Sequence[DocumentBatch]) -> DocumentBatch:
    """Return what shards made of their own documents, in the order of the request.

    Documents that were not in the request come last, shard by shard.
    """
    docs = DocumentBatch.concat(parts)
    places: dict[str, int] = {}
    for place, id_ in enumerate(order):
        places.setdefault(id_, place)
    wanted = [places.get(id_, len(order)) for id_ in docs.ids]
    if all(a <= b for a, b in pairwise(wanted)):
        return docs
    return docs.take(np.argsort(np.array(wanted), kind="stable"))


def merge_top_k(parts: Sequence[DocumentBatch], top_k: int | None = None) -> DocumentBatch:
    """Merge what each shard found for the same queries into the best of all.

    Matches go by falling score, then by id; one that several shards found is kept once,
    with its best score. All else is merged as by `union`.

    Args:
        parts: One answer for each shard.
        top_k: Matches to keep of each query; None keeps as many as the longest list has.
    """
    full = [part for part in parts if len(part)]
    merged = union([part.without(MATCHES) for part in full])
    known = [(part, part.docs(MATCHES)) for part in full]
    found = [(part, column) for part, column in known if column is not None]
    if not found:
        return merged
    places = {id_: place for place, id_ in enumerate(merged.ids)}
    owners = np.concatenate([_owners(part, column, places) for part, column in found])
    matches = DocumentBatch.concat([column.docs for _, column in found])
    longest = max(int(np.diff(column.offsets).max(initial=0)) for _, column in found)
    best = _best(owners, matches, longest if top_k is None else top_k)
    lengths = np.bincount(owners[best], minlength=len(merged))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return merged.with_columns(matches=DocsColumn(offsets, matches.take(best)))


def in_order(parts: Sequence[DocumentBatch], order: Sequence[str]) -> DocumentBatch:
    """Merge documents that each shard has of those that were named, in the order of the names.

    Those that were not named come last, shard by shard.
    """
    return put_back(order, [union(parts)])


def merge_pages(parts: Sequence[DocumentBatch], limit: int | None = None) -> DocumentBatch:
    """Merge the next page of each shard into the next page of all, in order of ids.

    Args:
        parts: One page for each shard, in order of ids, all behind the same id.
        limit: Documents to keep; None keeps as many as the longest page has. More would leave
            out what a shard with a full page has behind it.
    """
    merged = union(parts)
    most = max(map(len, parts), default=0) if limit is None else limit
    order = sorted(range(len(merged)), key=merged.ids.__getitem__)[:most]
    return merged.take(order)


def _owners(part: DocumentBatch, column: DocsColumn, places: dict[str, int]) -> Indices:
    own = np.array([places[id_] for id_ in part.ids], np.int64)
    return np.repeat(own, np.diff(column.offsets))


def _best(owners: Indices, matches: DocumentBatch, top_k: int) -> Indices:
    """Return the places of the matches that are kept, query by query, best first."""
    if len(matches) == 0:
        return np.zeros(0, np.int64)
    scores = _scores(matches)
    ids = np.array(matches.ids)
    order = np.lexsort((ids, -scores, owners))
    seen: set[tuple[int, str]] = set()
    kept: list[int] = []
    taken: dict[int, int] = {}
    for place in order.tolist():
        owner, id_ = int(owners[place]), matches.ids[place]
        if taken.get(owner, 0) < top_k and (owner, id_) not in seen:
            seen.add((owner, id_))
            taken[owner] = taken.get(owner, 0) + 1
            kept.append(place)
    return np.array(kept, np.int64)


def _scores(matches: DocumentBatch) -> Array:
    """Return the scores, the lowest there is for a match that has none."""
    rows = matches.values("score")
    scores = np.array([-np.inf if row is None else float(row) for row in rows])
    return np.where(np.isnan(scores), -np.inf, scores)
