"""Search by words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn
from jina_cli.executors.base import Indexer
from jina_cli.executors.indexers.bodies import names_of, records_of, refusing_bad_fields
from jina_cli.executors.indexers.matches import matches_of
from jina_cli.executors.indexers.submitting import Submitter
from jina_cli.store.records import Records
from jina_cli.store.store import Store


class TextIndexer(Indexer):
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
        super().__init__(**kwargs)
        self._fields = names_of(fields, what="fields") or ()
        if not self._fields:
            raise ValueError("fields must name at least one field")
        self._return_fields = names_of(return_fields, what="return_fields")
        self._store_fields = names_of(store_fields, what="store_fields")
        self._store = Store.open(self.workspace)
        self._submit = Submitter()

    async def index(self, docs: DocumentBatch, **parameters: Any) -> None:
        """Keep documents, in place of those with their ids; on return they are on the disk.

        Raises:
            MissingField: One has none of the fields. Nothing was added.
            BadField: A field cannot be kept. Nothing was added.
            StorageFailed: The disk refused. Nothing was added.
        """
        with refusing_bad_fields():
            await self._submit(lambda: self._store.submit(self._records(docs)))

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
            BadField: `return_fields` is no list of names.
        """
        fields = names_of(return_fields, what="return_fields")
        found = self._store.search_text(docs.text(), top_k)
        return matches_of(
            self._store, found, fields=self._return_fields if fields is None else fields
        )

    async def delete(self, ids: Sequence[str]) -> int:
        return await self._submit(lambda: self._store.submit_delete(ids))

    def count(self) -> int:
        return self._store.count()

    def close(self) -> None:
        self._submit.close()
        self._store.close()

    def _records(self, docs: DocumentBatch) -> Records:
        texts = self._texts(docs)
        kept = docs if self._store_fields is None else docs.only(*self._store_fields)
        return records_of(kept, texts=texts)

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
