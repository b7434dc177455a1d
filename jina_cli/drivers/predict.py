"""The Driver of Classifiers: labels of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import ValuesColumn
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import (
    ROOT,
    BadResult,
    Calling,
    Done,
    MaybeAwaitable,
    Parameters,
    accepted,
    at_paths,
    field_of,
    settled,
)
from jina_cli.drivers.content import content_of, in_parts, where_present

DEFAULT_TAG = "label"


class Predicts(Protocol):
    def predict(self, content: Any, **parameters: Any) -> MaybeAwaitable[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictDriver(Calling):
    """Put what a Classifier says of each document into its `tags`.

    A label goes under `into`, of several with their confidence the surest, and how sure it is
    under `into` + `_score`. None leaves the document as it is.

    Attributes:
        field: What `predict` gets; empty for the Executor's own, else `embedding`.
        into: Key of the `tags`; empty for the Executor's own, else `label`.
        labels: Names of what `predict` returns as numbers: of two classes the first for 0 and
            the second for 1, else one for each column.
        multiple: Whether several columns may be set, so that a list of labels is put.
        batch_size: Documents `predict` gets at most at a time; 0 for all.
        is_optional: Whether a document without the field stays as it is; else it is an error.
        traversal_paths: Documents it is done for.
    """

    method: ClassVar[str] = "predict"
    field: str = ""
    into: str = ""
    labels: tuple[str, ...] = ()
    multiple: bool = False
    batch_size: int = 0
    is_optional: bool = False
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Predicts, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        field = field_of(self.field, executor, "embedding")
        into = field_of(self.into, executor, DEFAULT_TAG, attribute="into")
        where = f"{type(executor).__name__}.predict"
        more = {k: v for k, v in accepted(executor.predict, parameters).items() if k != "content"}

        async def step(found: DocumentBatch) -> DocumentBatch:
            said: list[Any] = []
            for part in in_parts(content_of(found, field), self.batch_size):
                labels = self._named(await settled(executor.predict(part, **more)), where)
                if len(labels) != len(part):
                    problem = f"{where} returned {len(labels)} labels for {len(part)} documents"
                    raise BadResult(problem)
                said += labels
            tags = zip(found.values("tags"), said, strict=True)
            rows = [_tagged(known, label, into) for known, label in tags]
            return found.with_columns(tags=ValuesColumn(rows))

        steps = where_present(field if self.is_optional else "", step)
        return Done(docs=await at_paths(docs, self.traversal_paths, steps))

    def _named(self, predicted: Any, where: str) -> Sequence[Any]:
        """Return one label, or labels with their confidence, for each document."""
        if isinstance(predicted, np.ndarray) and predicted.dtype.kind in "fiub":
            return _of_numbers(predicted, self.labels, where, multiple=self.multiple)
        if isinstance(predicted, str | bytes) or not isinstance(predicted, Sequence | np.ndarray):
            what = type(predicted).__name__
            raise BadResult(f"{where} returned {what}, and must return one label each")
        return list(predicted)


def _tagged(tags: Any, label: Any, into: str) -> dict[str, Any] | None:
    """Return the tags of a document with its label among them."""
    known = dict(tags) if isinstance(tags, Mapping) else {}
    if label is None:
        return known or None
    if not isinstance(label, Mapping):
        return {**known, into: label}
    if not label:
        return known or None
    # Of equal ones the first by name, so that the answer does not depend on an order.
    best = min(label, key=lambda name: (-label[name], name))
    return {**known, into: best, f"{into}_score": float(label[best])}


def _of_numbers(
    predicted: np.ndarray[Any, Any], labels: Sequence[str], where: str, *, multiple: bool
) -> Sequence[Any]:
    """Return labels for numbers: 0 or 1, shape `(n,)`, or one column for each label.

    Raises:
        BadResult: There are not as many labels as that takes.
    """
    wide = predicted.ndim == 2 and predicted.shape[1] != 1
    count = predicted.shape[1] if wide else 2
    if predicted.ndim not in (1, 2) or len(labels) != count:
        raise BadResult(
            f"{where} returned numbers of shape {predicted.shape} for the labels {list(labels)};"
            f" give {count} as 'labels'"
        )
    if not wide:
        return [labels[int(one > 0)] for one in predicted.reshape(-1).tolist()]
    if multiple:
        rows = (predicted > 0).tolist()
        return [[name for name, on in zip(labels, row, strict=True) if on] for row in rows]
    return [labels[place] for place in predicted.argmax(axis=1).tolist()]
