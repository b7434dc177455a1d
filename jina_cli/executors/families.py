"""Families of Executors: plain functions on arrays; Drivers bring the documents.

Derive from one, write its method, and the endpoints are there. All methods may be
coroutine functions as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn
from jina_cli.drivers.base import Driver, MaybeAwaitable
from jina_cli.drivers.fuse import FuseDriver
from jina_cli.drivers.judge import EvaluateDriver
from jina_cli.drivers.keep import (
    CountDriver,
    DeleteDriver,
    DumpDriver,
    GetDriver,
    IndexDriver,
    StatusDriver,
    UpdateDriver,
)
from jina_cli.drivers.predict import DEFAULT_TAG, PredictDriver
from jina_cli.drivers.rank import ChunkRankDriver, RankDriver
from jina_cli.drivers.retrieve import SearchDriver
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
            Array of shape `(n, dim)` of numbers, which are kept as float32.
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
    def update(self, docs: DocumentBatch, **parameters: Any) -> MaybeAwaitable[None]:
        """Change documents; one that is not kept yet is kept as by `index`, which this calls.

        What it gets is as of `index`.
        """
        return self.index(docs, **parameters)

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
            "/update": (UpdateDriver(),),
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
        self, queries: DocumentBatch, matches: DocsColumn, *, top_k: int, **parameters: Any
    ) -> MaybeAwaitable[DocsColumn]:
        """Return the matches of each query in their new order, at most `top_k` of each.

        Args:
            queries: At least one.
            matches: As many lists as there are queries.
            parameters: Those of the request that the method has names for.
        """

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {"/search": (RankDriver(),)}


class ChunkRanker(Family):
    """Makes of matched chunks matches of the documents they are chunks of. Serves `/search`.

    Attributes:
        source: Where the matched chunks are, as in `ChunkRankDriver`.
        keep: Which of them a match keeps as its chunks, as in `ChunkRankDriver`.
    """

    source: Literal["auto", "chunks", "matches"] = "auto"
    keep: Literal["best", "all", "none"] = "best"

    @abstractmethod
    def aggregate(
        self, scores: NDArray[np.float64], offsets: NDArray[np.int64]
    ) -> MaybeAwaitable[NDArray[np.float64]]:
        """Return the score of each document that chunks were found of, shape `(documents,)`.

        Higher is better. Each depends on the document's own chunks alone.

        Args:
            scores: Of all matched chunks, higher for better, shape `(chunks,)`; those of one
                document follow each other, the best first.
            offsets: Document `i` has `scores[offsets[i]:offsets[i + 1]]`, at least one; shape
                `(documents + 1,)`.
        """

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {"/search": (ChunkRankDriver(source=self.source, keep=self.keep),)}


class Fuser(Family):
    """Makes one ranking of those that several Pods found. Serves `/search`.

    Its Pod `needs` them, and gets their answers apart.
    """

    @abstractmethod
    def fuse(
        self,
        ranks: NDArray[np.float64],
        scores: NDArray[np.float64],
        offsets: NDArray[np.int64],
        **parameters: Any,
    ) -> MaybeAwaitable[NDArray[np.float64]]:
        """Return the score of each match that some Pod found, higher for better, `(matches,)`.

        Args:
            ranks: Its place in the list of each Pod, from 1, nan where that has it not; shape
                `(pods, matches)`. In no column all are nan.
            scores: Its score there, likewise.
            offsets: The matches of document `i` are the columns from `offsets[i]` up to
                `offsets[i + 1]`; shape `(documents + 1,)`.
            parameters: Those of the request that the method has names for, and `inputs`, the
                names of the Pods, none where they are not known.
        """

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {"/search": (FuseDriver(),)}


class Classifier(Family):
    """Says of documents what they are; sets a key of `tags`.

    Serves `/index`, `/search`, `/update` and `/predict`, and `/train` where `train` is
    overridden.

    Attributes:
        field: What it looks at: `embedding`, `text`, `tensor`; `matches` for what was found.
        into: Key of the `tags` for the label.
        label: Key of the `tags` with the right label of documents to learn from.
    """

    field: str = "embedding"
    into: str = DEFAULT_TAG
    label: str = DEFAULT_TAG

    @abstractmethod
    def predict(self, content: Any, **parameters: Any) -> Any:
        """Return what each piece of content is.

        Args:
            content: As `Encoder.encode` gets it; documents (`matches`) are a `DocsColumn`.
            parameters: Those of the request that the method has names for.

        Returns:
            `n` labels, or objects of labels with their confidence; None for nothing to say.
        """

    def train(self, content: Any, *, labels: Sequence[Any], **parameters: Any) -> Any:
        """Learn from content and its labels; called for `/train` where it is overridden.

        Args:
            content: As of `predict`.
            labels: `n` values of `tags`, None where there is none.
        """

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        predict = (PredictDriver(field=self.field, into=self.into),)
        drivers: dict[str, Sequence[Driver]] = dict.fromkeys(
            ("/index", "/predict", "/search", "/update"), predict
        )
        if type(self).train is not Classifier.train:
            drivers[TRAIN_ENDPOINT] = (TrainDriver(field=self.field, label=self.label),)
        return drivers


class Evaluator(Family):
    """Judges what was found. Serves `/search`.

    What it says goes to a query's `evaluations` under its class's name, with `@` and `eval_at`
    behind it where that is set.

    Attributes:
        desired: Key of a query's `tags` with what it should find: a list of ids, or an object
            of grades by id.
        eval_at: How many of the first matches it looks at; None for all.
        graded: Whether `evaluate` gets grades by id rather than ids.
    """

    desired: str = "relevant"
    eval_at: int | None = None
    graded: ClassVar[bool] = False

    @abstractmethod
    def evaluate(self, actual: Sequence[str], desired: Any) -> MaybeAwaitable[float]:
        """Return how good the ids that were found are, given those desired.

        Args:
            actual: All matches, best first: an Evaluator cuts them at `eval_at` itself.
            desired: Ids, those with a grade above 0; where `graded`, grades by id, 1 where the
                query says none.
        """

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        return {"/search": (EvaluateDriver(desired=self.desired),)}
