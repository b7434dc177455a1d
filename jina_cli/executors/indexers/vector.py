"""Search by nearness of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn
from jina_cli.executors.base import Indexer
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT
from jina_cli.executors.indexers.bodies import names_of, records_of, refusing_bad_fields
from jina_cli.executors.indexers.matches import matches_of
from jina_cli.executors.indexers.submitting import Submitter
from jina_cli.store.records import Records, as_vectors
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric


class VectorIndexer(Indexer):
    """Find the documents whose vectors are nearest to that of a query, exactly.

    Documents are kept in one SQLite file in the workspace; what was answered is on the disk.
    Vectors are kept as float32, and all of them in memory too.

    Args:
        metric: `cosine`, `inner_product` or `l2`. The score is the cosine, the product, or
            minus the distance.
        field: Field of the vectors, of documents and of queries.
        return_fields: Fields of a match, besides its id and score. By default all that are
            text or plain values, so neither tensors nor vectors.
        store_fields: Fields of a document that are kept besides its vector; by default all.
            Without its tensor, an index of images takes a fraction of the disk.
    """

    def __init__(
        self,
        metric: str = Metric.COSINE.value,
        field: str = "embedding",
        return_fields: Sequence[str] | None = None,
        store_fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._field = field
        self._return_fields = names_of(return_fields, what="return_fields")
        self._store_fields = names_of(store_fields, what="store_fields")
        self._store = Store.open(self.workspace, metric=_metric(metric))
        self._submit = Submitter()

    async def index(self, docs: DocumentBatch, **parameters: Any) -> None:
        """Keep documents, in place of those with their ids; on return they are on the disk.

        Raises:
            MissingField: One has no vector: no Encoder ran before. Nothing was added.
            BadField: They are of another length than those that are there, or not finite,
                or a field cannot be kept. Nothing was added.
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
        """Return the matches of the vector of each document.

        Raises:
            MissingField: One has no vector.
            BadField: They are of another length than those of the index, or not finite, or
                `return_fields` is no list of names.
        """
        named = names_of(return_fields, what="return_fields")
        with refusing_bad_fields():
            found = self._store.search_vectors(docs.tensor(self._field), top_k)
        fields = self._return_fields if named is None else named
        return matches_of(self._store, found, fields=fields, vector_field=self._field)

    async def delete(self, ids: Sequence[str]) -> int:
        return await self._submit(lambda: self._store.submit_delete(ids))

    def count(self) -> int:
        return self._store.count()

    def default_batching(self) -> Mapping[str, Batching]:
        return {"/search": ZERO_WAIT}

    def close(self) -> None:
        self._submit.close()
        self._store.close()

    def _records(self, docs: DocumentBatch) -> Records:
        vectors = as_vectors(docs.tensor(self._field), what=repr(self._field))
        kept = docs if self._store_fields is None else docs.only(*self._store_fields)
        return records_of(kept.without(self._field), vectors=vectors)


def _metric(name: str) -> Metric:
    try:
        return Metric(name)
    except ValueError:
        known = ", ".join(metric.value for metric in Metric)
        raise ValueError(f"metric is {name!r}, and must be one of {known}") from None
