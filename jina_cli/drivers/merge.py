"""Drivers that make one batch of the answers of several Pods, and call no Executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import TensorColumn
from jina_cli.documents.merge import union
from jina_cli.drivers.base import Done, Inputs, Ordered, Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceDriver(Ordered):
    """Merge what several Pods answered, by the ids of documents.

    Documents come in the order they are first seen, the fields of later Pods win, and chunks
    and matches are merged alike.
    """

    method: ClassVar[str] = ""

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        return Done(docs=docs)

    async def join(self, executor: Any, inputs: Inputs, parameters: Parameters) -> Done:
        return Done(docs=union(inputs.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcatDriver(Ordered):
    """Merge what several Pods answered, with their vectors end to end in the order of `needs`.

    Attributes:
        field: Field of the vectors; each Pod must have one for each document.
    """

    method: ClassVar[str] = ""
    field: str = "embedding"

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        return Done(docs=docs)

    async def join(self, executor: Any, inputs: Inputs, parameters: Parameters) -> Done:
        merged = union(inputs.parts)
        parts = [self._vectors(part, merged.ids) for part in inputs.parts]
        return Done(
            docs=merged.with_columns(**{self.field: TensorColumn(np.concatenate(parts, axis=1))})
        )

    def _vectors(self, part: DocumentBatch, ids: Sequence[str]) -> np.ndarray[Any, Any]:
        """Return the vectors of a Pod in the order of `ids`, shape `(documents, dim)`.

        Raises:
            BadField: It has none for some, or they are no vectors.
        """
        places = {id_: place for place, id_ in enumerate(part.ids)}
        absent = next((id_ for id_ in ids if id_ not in places), None)
        if absent is not None:
            raise BadField(f"document {absent!r} has no {self.field!r} of one of the Pods")
        vectors = part.tensor(self.field)
        if vectors.ndim != 2:
            raise BadField(f"{self.field!r} is of shape {vectors.shape[1:]}, and must be a vector")
        return vectors[[places[id_] for id_ in ids]]
