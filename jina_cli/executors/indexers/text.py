"""Search by words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn, TextColumn
from jina_cli.executors.base import Indexer
from jina_cli.executors.indexers.bodies import bodies_of, matches_of, refusing_bad_fields
from jina_cli.store.records import Records
from jina_cli.store.store import Store


class TextIndexer(Indexer):
    """Find the documents that have the words of a query, the best by BM25 first.

    Words are compared without case and accents and by their English stem. Documents are kept
    whole, in one SQLite file in the workspace; what was answered is on the disk.

    Args:
        fields: Fields or keys of `tags` that are searched; a document needs one of them.
        return_fields: Fields of a match, besides its id and score. By default all that are
            text or plain values.
    """

    def __init__(
        self,
        fields: Sequence[str] = ("title", "text"),
        return_fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(fields, str) or not fields:
            raise ValueError(f"fields must be a list of names, not {fields!r}")
        self._fields = tuple(fields)
        self._return_fields = return_fields
        self._store = Store.open(self.workspace)

    async def index(self, docs: DocumentBatch, **parameters: Any) -> None:
        """Keep documents, in place of those with their ids; on return they are on the disk.

        Raises:
            MissingField: One has none of the fields. Nothing was added.
            BadField: A field cannot be kept. Nothing was added.
            StorageFailed: The disk refused. Nothing was added.
        """
        texts = self._texts(docs)
        with refusing_bad_fields():
            bodies = bodies_of(_beside(docs, texts))
            records = Records(ids=docs.ids, bodies=bodies, texts=texts)
            await asyncio.wrap_future(self._store.submit(records))

    def search(
        self,
        docs: DocumentBatch,
        *,
        top_k: int,
        return_fields: Sequence[str] | None = None,
        **parameters: Any,
    ) -> DocsColumn:
        """Return the matches of the `text` of each document.

        Raises:
            MissingField: One has no text.
        """
        found = self._store.search_text(docs.text(), top_k)
        fields = self._return_fields if return_fields is None else return_fields
        return matches_of(self._store, found, fields=fields)

    async def delete(self, ids: Sequence[str]) -> int:
        return await asyncio.wrap_future(self._store.submit_delete(ids))

    def count(self) -> int:
        return self._store.count()

    def close(self) -> None:
        self._store.close()

    def _texts(self, docs: DocumentBatch) -> list[str]:
        columns = [_column(docs, field) for field in self._fields]
        known = [
            [value for value in values if isinstance(value, str)]
            for values in zip(*columns, strict=True)
        ]
        without = [id_ for id_, values in zip(docs.ids, known, strict=True) if not values]
        if without:
            raise MissingField(" or ".join(self._fields), without)
        return ["\n".join(values) for values in known]


def _column(docs: DocumentBatch, field: str) -> Sequence[Any]:
    if field in docs.columns:
        return docs.values(field)
    tags = docs.values("tags")
    return [tag.get(field) if isinstance(tag, Mapping) else None for tag in tags]


def _beside(docs: DocumentBatch, texts: Sequence[str]) -> DocumentBatch:
    """Return what is to be kept besides the searched texts.

    That is without `text` where it is the same, and with an empty one where there was none.
    """
    own = list(docs.values("text"))
    if own == list(texts):
        return docs.without("text")
    return docs if "text" in docs.columns else docs.with_columns(text=TextColumn(own))
