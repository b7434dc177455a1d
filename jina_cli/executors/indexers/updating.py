"""Documents as `/update` leaves them: what was given, over what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.documents.merge import union
from jina_cli.executors.indexers.bodies import HASH
from jina_cli.executors.indexers.chunks import CHUNKS

TAGS = "tags"


def updated(kept: DocumentBatch, given: DocumentBatch) -> DocumentBatch:
    """Return the documents `given` with the fields that they lack as those in `kept` have them.

    A field that was given takes the place of the one that is kept; an empty list of chunks
    counts as none. Of `tags` each key does so by itself, and one whose value is null goes, as in
    a JSON merge patch (RFC 7396). The hash of the content as it was is not kept.

    Args:
        kept: Those of them that are there, in any order, each once.
        given: Where an id repeats, a later document goes over an earlier one.
    """
    if len(set(given.ids)) < len(given):
        return _one_after_another(kept, given)
    names = set(given.ids)
    old = kept.without(HASH)
    old = old.take([place for place, id_ in enumerate(old.ids) if id_ in names])
    if not len(old):
        return given
    merged = union([_without_chunks_of(given, old), given])
    place_of = {id_: place for place, id_ in enumerate(merged.ids)}
    merged = merged.take([place_of[id_] for id_ in given.ids])
    if TAGS not in old.columns or TAGS not in given.columns:
        return merged
    before = dict(zip(old.ids, old.values(TAGS), strict=True))
    tags = [
        _patched(before.get(id_), patch)
        for id_, patch in zip(given.ids, given.values(TAGS), strict=True)
    ]
    return merged.with_columns(tags=ValuesColumn(tags))


def _one_after_another(kept: DocumentBatch, given: DocumentBatch) -> DocumentBatch:
    for place in range(len(given)):
        one = updated(kept, given.slice(place, place + 1))
        others = [p for p, id_ in enumerate(kept.ids) if id_ != given.ids[place]]
        kept = DocumentBatch.concat([kept.take(others), one])
    names = set(given.ids)
    return kept.take([place for place, id_ in enumerate(kept.ids) if id_ in names])


def _without_chunks_of(given: DocumentBatch, old: DocumentBatch) -> DocumentBatch:
    """Return the old documents without the chunks of those that are given new ones."""
    new, known = given.docs(CHUNKS), old.docs(CHUNKS)
    if new is None or known is None:
        return old
    counts = dict(zip(given.ids, np.diff(new.offsets).tolist(), strict=True))
    lists = [
        known.docs.slice(0, 0) if counts[id_] else known.slice(place, place + 1).docs
        for place, id_ in enumerate(old.ids)
    ]
    return old.with_columns(chunks=DocsColumn.of(lists))


def _patched(before: Any, patch: Any) -> Any:
    if patch is None:
        return before
    if not isinstance(before, Mapping) or not isinstance(patch, Mapping):
        return patch
    return {key: value for key, value in {**before, **patch}.items() if value is not None}
