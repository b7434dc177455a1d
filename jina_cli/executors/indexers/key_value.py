"""Documents by their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.documents.query import matches
from jina_cli.drivers.base import Driver
from jina_cli.drivers.retrieve import KeyValueSearchDriver
from jina_cli.executors.indexers.base import StoreIndexer, where_of
from jina_cli.executors.indexers.bodies import records_of
from jina_cli.store.records import Records


class KeyValueIndexer(StoreIndexer):
    """Keep documents with all their fields, and give these back by id.

    `/search` fills the matches that others found, by their ids, and drops those that are not
    kept: an index of vectors need keep nothing else. Documents are kept in one SQLite file in
    the workspace; what was answered is on the disk.

    Args:
        store_fields: Fields of a document that are kept; by default all. To fill matches with
            their text, `[text]` is enough, and much less to send.
    """

    def __init__(self, store_fields: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(store_fields=store_fields, **kwargs)

    def records(self, docs: DocumentBatch) -> Records:
        return records_of(self._kept(docs))

    def search(
        self, docs: DocumentBatch, *, top_k: int, filter: Any = None, **parameters: Any
    ) -> DocsColumn:
        """Return for each document the one that is kept under its id, with a score of 1.

        This is for those who name a SearchDriver; by default matches are filled.

        Args:
            filter: Only documents that meet this condition.

        Raises:
            BadParameter: `filter` is no condition.
        """
        where = where_of(filter)
        found = self.get(list(dict.fromkeys(docs.ids)))
        found = found.take(np.flatnonzero(matches(where, found)))
        place_of = {id_: place for place, id_ in enumerate(found.ids)}
        there = [id_ in place_of for id_ in docs.ids]
        places = [place_of[id_] for id_ in docs.ids if id_ in place_of]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(there, dtype=np.int64)])
        kept = found.take(places).with_columns(score=ValuesColumn([1.0] * len(places)))
        return DocsColumn(offsets, kept)

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {**super().default_drivers(), "/search": (KeyValueSearchDriver(),)}
