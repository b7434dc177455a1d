"""Search by nearness of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT
from jina_cli.executors.indexers.base import StoreIndexer, where_of
from jina_cli.executors.indexers.bodies import records_of, refusing_bad_fields
from jina_cli.executors.indexers.matches import matches_of
from jina_cli.store.records import Records, as_vectors
from jina_cli.vocabulary import Metric


class VectorIndexer(StoreIndexer):
    """Find the documents whose vectors are nearest to that of a query.

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
        super().__init__(
            metric=metric,
            field=field,
            return_fields=return_fields,
            store_fields=store_fields,
            **kwargs,
        )

    def records(self, docs: DocumentBatch) -> Records:
        vectors = as_vectors(docs.tensor(self._field), what=repr(self._field))
        return records_of(self._kept(docs).without(self._field), vectors=vectors)

    def search(
        self,
        docs: DocumentBatch,
        *,
        top_k: int,
        filter: Any = None,
        return_fields: Sequence[str] | None = None,
        **parameters: Any,
    ) -> DocsColumn:
        """Return the matches of the vector of each document.

        Args:
            filter: Only documents that meet this condition.
            return_fields: As of the constructor, for this request.

        Raises:
            MissingField: One has no vector.
            BadField: They are of another length than those of the index, or not finite, or
                `return_fields` is no list of names.
            BadParameter: `filter` is no condition.
        """
        fields, where = self._fields(return_fields), where_of(filter)
        with refusing_bad_fields():
            found = self._store.search_vectors(docs.tensor(self._field), top_k, where=where)
        return matches_of(self._store, found, fields=fields, vector_field=self._field)

    def default_batching(self) -> Mapping[str, Batching]:
        return {"/search": ZERO_WAIT}
