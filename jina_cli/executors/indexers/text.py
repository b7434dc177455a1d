"""Search by words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn
from jina_cli.executors.indexers.base import StoreIndexer, where_of
from jina_cli.executors.indexers.bodies import records_of
from jina_cli.executors.indexers.matches import matches_of
from jina_cli.executors.indexers.words import searched_fields, texts_of
from jina_cli.store.records import Records


class TextIndexer(StoreIndexer):
    """Find the documents that have the words of a query, the best by BM25 first.

    Words are compared without case and accents and by their English stem. Documents are kept
    in one SQLite file in the workspace; what was answered is on the disk.

    Args:
        fields: Fields or keys of `tags` that are searched; a document needs one of them.
        return_fields: Fields of a match, besides its id and score. By default all that are
            text or plain values.
        store_fields: Fields of a document that are kept; by default all. Those that are not
            can be searched, but not returned.
    """

    def __init__(
        self,
        fields: Sequence[str] = ("title", "text"),
        return_fields: Sequence[str] | None = None,
        store_fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(return_fields=return_fields, store_fields=store_fields, **kwargs)
        self._searched = searched_fields(fields)

    def records(self, docs: DocumentBatch) -> Records:
        texts = texts_of(docs, self._searched)
        without = [id_ for id_, text in zip(docs.ids, texts, strict=True) if text is None]
        if without:
            raise MissingField(" or ".join(self._searched), without)
        return records_of(self._kept(docs), texts=texts)

    def search(
        self,
        docs: DocumentBatch,
        *,
        top_k: int,
        filter: Any = None,
        return_fields: Sequence[str] | None = None,
        **parameters: Any,
    ) -> DocsColumn:
        """Return the matches of the `text` of each document.

        Args:
            filter: Only documents that meet this condition.
            return_fields: As of the constructor, for this request.

        Raises:
            MissingField: One has no text.
            BadField: `return_fields` is no list of names.
            BadParameter: `filter` is no condition.
        """
        fields = self._fields(return_fields)
        found = self._store.search_text(docs.text(), top_k, where=where_of(filter))
        return matches_of(self._store, found, fields=fields)
