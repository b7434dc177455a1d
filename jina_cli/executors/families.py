"""Families of Executors: plain functions on arrays; Drivers bring the documents.

Derive from one, write its method, and the endpoints are there. All methods may be
coroutine functions as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn
from jina_cli.drivers.base import Driver, MaybeAwaitable
from jina_cli.drivers.keep import (
    CountDriver,
    DeleteDriver,
    DumpDriver,
    GetDriver,
    IndexDriver,
    StatusDriver,
)
from jina_cli.drivers.retrieve import EvaluateDriver, RankDriver, SearchDriver
from jina_cli.drivers.transform import CraftDriver, EncodeDriver, SegmentDriver, TrainDriver
from jina_cli.executors.endpoints import Batching, write
from jina_cli.executors.executor import Executor
from jina_cli.vocabulary import DEFAULT_ENDPOINT, TRAIN_ENDPOINT

ZERO_WAIT = Batching(preferred_batch_size=64, timeout_ms=0, flush_all=True, is_harmless=True)
"""For endpoints that change nothing, and are faster with the documents of several requests at
once. What one request brings is never split."""


class Family(Executor, ABC):
    """An Executor whose methods are called by Drivers."""

    @abstractmethod
    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        """Return the Drivers of each endpoint, called in order."""

    def default_batching(self) -> Mapping[str, Batching]:
        """Return endpoints whose requests are grouped where YAML does not say.

        Only for those whose answers are the same, up to rounding, whether documents come
        together or apart.
        """
        return {}

    def drivers_of(self, method: str) -> Sequence[Driver] | None:
        """Return the Drivers that call `method`; None if it is none of the family's own."""
        for drivers in self.default_drivers().values():
            if any(driver.method == method for driver in drivers):
                return drivers
        return None


class Encoder(Family):
    """Turns content into vectors; sets `embedding`.

    Serves `/index`, `/search`, `/update`, and `/train` where `train` is overridden.

    Attributes:
        field: Content that is encoded: `tensor`, `text`, `blob`, `uri`.
        into: Field for the vectors.
    """

    field: str = "tensor"
    into: str = "embedding"

    @abstractmethod
    def encode(self, content: Any) -> Any:
        """Return one vector for each piece of content.

        Args:
            content: The field of all documents, at least one. Tensors are an array
                `(n, *shape)` (a list of arrays where their shapes differ), text a list of
                strings. It must not be written into.

        Returns:
            Array of shape `(n, dim)`, float32, or what converts to it.
        """

    def train(self, content: Any, **parameters: Any) -> Any:
        """Learn from content; called for `/train` where a subclass overrides it."""

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        encode = (EncodeDriver(field=self.field, into=self.into),)
        drivers: dict[str, Sequence[Driver]] = dict.fromkeys(
            ("/index", "/search", "/update"), encode
        )
        if type(self).train is not Encoder.train:
            drivers[TRAIN_ENDPOINT] = (TrainDriver(field=self.field),)
        return drivers


class Crafter(Family):
    """Turns content into content: reads, normalises, converts. Serves every endpoint.

    Attributes:
        field: Content that is given.
        into: Field for what is returned; empty for the same.
    """

    field: str = "tensor"
    into: str = ""

    @abstractmethod
    def craft(self, content: Any) -> Any:
        """Return new content for each piece of content.

        Args:
            content: As `Encoder.encode` gets it.

        Returns:
            An array `(n, *shape)`, or a list of `n` arrays, strings, bytes or values.
        """

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {DEFAULT_ENDPOINT: (CraftDriver(field=self.field, into=self.into),)}


class Segmenter(Family):
    """Splits documents into chunks. Serves every endpoint.

    Attributes:
        field: Content that is split.
    """

    field: str = "text"

    @abstractmethod
    def segment(self, content: Any) -> MaybeAwaitable[Sequence[Sequence[Any]]]:
        """Return the chunks of each piece of content, in order.

        Returns:
            `n` lists; a chunk is content of the same kind, or a dict of fields.
        """

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {DEFAULT_ENDPOINT: (SegmentDriver(field=self.field),)}


class Indexer(Family):
    """Keeps documents and finds them again.

    Serves `/index`, `/update`, `/search`, `/delete`, `/status` and `/count`, and `/get` and
    `/dump` where their methods are overridden. Answers to all but `/search`, `/get` and `/dump`
    hold ids alone.
    """

    @write
    @abstractmethod
    def index(self, docs: DocumentBatch, **parameters: Any) -> MaybeAwaitable[None]:
        """Keep documents, in place of those with the same ids. On return they are kept.

        Args:
            docs: At least one.
            parameters: Those of the request that the method has names for.
        """

    @abstractmethod
    def search(
        self, docs: DocumentBatch, *, top_k: int, **parameters: Any
    ) -> MaybeAwaitable[DocsColumn]:
        """Return the matches of each document, best first, at most `top_k` of each.

        Each match has a `score`, higher for better.

        Args:
            docs: The queries, at least one.
            top_k: At least 1.
            parameters: Those of the request that the method has names for; `filter` is a
                condition in any form that `documents.condition` reads.
        """

    @write
    @abstractmethod
    def delete(self, ids: Sequence[str], *, filter: Any = None) -> MaybeAwaitable[int]:
        """Forget documents, and return how many of them were there.

        Args:
            ids: Each once; may be none, and then there is a `filter`.
            filter: A condition: what meets it goes too. None for none.
        """

    @abstractmethod
    def count(self, *, filter: Any = None) -> MaybeAwaitable[int]:
        """Return how many documents are kept, or of these how many meet a condition."""

    def get(self, ids: Sequence[str]) -> MaybeAwaitable[DocumentBatch]:
        """Return documents by id with all their fields, in the order of `ids`.

        Those that are not there are left out. Served where a subclass overrides it.

        Args:
            ids: At least one, each once.
        """
        raise NotImplementedError(f"{type(self).__name__} returns no documents by id")

    def dump(
        self, *, after: str, limit: int, filter: Any, vectors: bool
    ) -> MaybeAwaitable[DocumentBatch]:
        """Return the next documents in order of their ids; none at the end.

        Served where a subclass overrides it.

        Args:
            after: The last id that the caller has; empty for the beginning.
            limit: Documents at most, at least 1.
            filter: A condition that they meet; None for all.
            vectors: Whether they come with their vectors.
        """
        raise NotImplementedError(f"{type(self).__name__} dumps no documents")

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        drivers: dict[str, Sequence[Driver]] = {
            "/index": (IndexDriver(),),
            "/update": (IndexDriver(),),
            "/search": (SearchDriver(),),
            "/delete": (DeleteDriver(),),
            "/status": (StatusDriver(),),
            "/count": (CountDriver(),),
        }
        if type(self).get is not Indexer.get:
            drivers["/get"] = (GetDriver(),)
        if type(self).dump is not Indexer.dump:
            drivers["/dump"] = (DumpDriver(),)
        return drivers


class Ranker(Family):
    """Puts the matches that others found into a better order. Serves `/search`."""

    @abstractmethod
    def rank(
        self, queries: DocumentBatch, matches: DocsColumn, *, top_k: int
    ) -> MaybeAwaitable[DocsColumn]:
        """Return the matches of each query in their new order, at most `top_k` of each."""

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {"/search": (RankDriver(),)}


class Evaluator(Family):
    """Judges what was found. Serves `/search`.

    Attributes:
        desired: Key of a query's `tags` with the ids that it should find.
    """

    desired: ClassVar[str] = "relevant"

    @abstractmethod
    def evaluate(self, actual: Sequence[str], desired: Sequence[str]) -> MaybeAwaitable[float]:
        """Return how good the ids that were found are, best first, given those desired."""

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {"/search": (EvaluateDriver(desired=self.desired),)}
