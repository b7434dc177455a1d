"""What all built-in Indexers share: one store, what goes into it, and what is asked of it by id.

They keep documents in one SQLite file of one format, `documents.sqlite` in their workspace, so
one of them can open what another has made. Of several replicas the first writes; the others
read the same file, and see all that was acknowledged before they are asked.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.condition import BadQuery, Condition, condition_of
from jina_cli.drivers.base import BadParameter
from jina_cli.executors.endpoints import write
from jina_cli.executors.families import Indexer
from jina_cli.executors.indexers.bodies import HASH, names_of, refusing_bad_fields
from jina_cli.executors.indexers.submitting import Submitter
from jina_cli.executors.indexers.updating import updated
from jina_cli.executors.indexers.whole import documents_of
from jina_cli.store.records import Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric

Names = Sequence[str] | None


class StoreIndexer(Indexer):
    """Keeps documents in a store. A subclass says what of them is searched, and how.

    Args:
        metric: How vectors are compared, see `Metric`.
        field: Field of the vectors, of documents and of queries.
        return_fields: Fields of a match, besides its id and score. By default all that are
            text or plain values.
        store_fields: Fields of a document that are kept besides its vector; by default all.
    """

    def __init__(
        self,
        *,
        metric: str = Metric.COSINE.value,
        field: str = "embedding",
        return_fields: Names = None,
        store_fields: Names = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._field = field
        self._return_fields = names_of(return_fields, what="return_fields")
        self._store_fields = names_of(store_fields, what="store_fields")
        is_reader = int(getattr(self.runtime_args, "replica_id", 0) or 0) > 0
        self._store = Store.open(self.workspace, metric=metric_of(metric), read_only=is_reader)
        self._submit = Submitter()

    @abstractmethod
    def records(self, docs: DocumentBatch) -> Records:
        """Return documents as the store keeps them.

        Raises:
            BadField: They lack what is searched, or a field cannot be kept.
        """

    async def index(self, docs: DocumentBatch, **parameters: Any) -> None:
        """Keep documents, in place of those with their ids; on return they are on the disk.

        Raises:
            MissingField: One has nothing that can be searched. Nothing was added.
            BadField: A field cannot be kept, or vectors are not finite, or of another length
                than those that are there. Nothing was added.
            StorageFailed: The disk refused. Nothing was added.
        """
        with refusing_bad_fields():
            await self._submit(lambda: self._store.submit(self.records(docs)))

    @write
    async def update(self, docs: DocumentBatch, **parameters: Any) -> None:
        """Change documents: fields that are given replace those that are kept, others stay.

        Of `tags` each key does so by itself; one that is null goes. A vector stays until
        another is given, so whoever changes the text of a document has an Encoder before this
        Pod; and what is searched but not among `store_fields` has to be given again. A document
        that is not kept yet is kept as by `index`.

        Raises:
            Exception: As `index`. Nothing was changed.
        """
        with refusing_bad_fields():
            await self._submit(
                lambda: self._store.submit(self.records(self._updated(docs))), after_all=True
            )

    async def delete(self, ids: Sequence[str], *, filter: Any = None) -> int:
        """Forget documents by their ids, and those that meet a condition.

        Raises:
            BadParameter: `filter` is no condition. Nothing was deleted.
            StorageFailed: The disk refused.
        """
        where = where_of(filter)
        deleted = await self._submit(lambda: self._store.submit_delete(ids)) if ids else 0
        if where is not None:
            deleted += await self._submit(lambda: self._store.submit_delete_where(where))
        return deleted

    def count(self, *, filter: Any = None) -> int:
        """Return how many documents are kept, or how many of them meet a condition.

        Raises:
            BadParameter: `filter` is no condition.
        """
        return self._store.count(where_of(filter))

    def get(self, ids: Sequence[str]) -> DocumentBatch:
        """Return those of the documents that are there, in the order of `ids`, with all fields."""
        known = self._store.get(ids)
        stored = [known[id_] for id_ in ids if id_ in known]
        return documents_of(stored, vector_field=self._field)

    def dump(self, *, after: str, limit: int, filter: Any, vectors: bool) -> DocumentBatch:
        """Return the next documents in order of their ids.

        Raises:
            BadParameter: `filter` is no condition.
        """
        stored = self._store.page(after or None, limit, where_of(filter))
        return documents_of(stored, vector_field=self._field, with_vectors=vectors)

    def close(self) -> None:
        self._submit.close()
        self._store.close()

    def _fields(self, named: Names) -> Names:
        """Return the fields of a match that a request names, else those of the constructor.

        Raises:
            BadField: They are no list of names.
        """
        fields = names_of(named, what="return_fields")
        return self._return_fields if fields is None else fields

    def _kept(self, docs: DocumentBatch) -> DocumentBatch:
        """Return documents with the fields that are to be kept, and the hash of their content."""
        return docs if self._store_fields is None else docs.only(*self._store_fields, HASH)

    def _updated(self, docs: DocumentBatch) -> DocumentBatch:
        known = self._store.get(docs.ids)
        return updated(documents_of(list(known.values()), vector_field=self._field), docs)


def where_of(filter: Any) -> Condition | None:
    """Return the condition that a request gives, in whatever form.

    Raises:
        BadParameter: It is none.
    """
    try:
        return condition_of(filter)
    except BadQuery as error:
        raise BadParameter(f"filter: {error}", "parameters.filter") from error


def metric_of(name: str) -> Metric:
    """Return the metric of a name.

    Raises:
        ValueError: There is no such metric.
    """
    try:
        return Metric(name)
    except ValueError:
        known = ", ".join(metric.value for metric in Metric)
        raise ValueError(f"metric is {name!r}, and must be one of {known}") from None
