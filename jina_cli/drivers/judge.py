"""The Driver that judges what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Protocol

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import ValuesColumn
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import (
    ROOT,
    Calling,
    Done,
    MaybeAwaitable,
    Parameters,
    at_paths,
    settled,
)
from jina_cli.drivers.values import values_at


class Evaluates(Protocol):
    def evaluate(self, actual: Sequence[Any], desired: Any) -> MaybeAwaitable[float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateDriver(Calling):
    """Compare the matches of each document with those it should have.

    What the Executor says goes to the document's `evaluations`, beside what others said, under
    its class's name: `RecallEvaluator`, or `RecallEvaluator@10` where it looks at the first 10.

    Attributes:
        desired: Key of the document's `tags` with what it should find: a list, or an object
            of grades. Empty for the one the Executor says.
        field: Field of a match that is compared with it, `id` or `tags__id`.
        is_optional: Whether a document that does not say what it should find is passed by;
            else it is an error.
        traversal_paths: Documents that are judged.
    """

    method: ClassVar[str] = "evaluate"
    desired: str = ""
    field: str = "id"
    is_optional: bool = False
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Evaluates, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        name, graded = _name_of(executor), bool(getattr(executor, "graded", False))
        key = self.desired or str(getattr(executor, "desired", "")) or "relevant"

        async def step(found: DocumentBatch) -> DocumentBatch:
            wanted = _desired(found, key, is_needed=not self.is_optional)
            actual = _actual(found, self.field)
            said: list[dict[str, float] | None] = []
            rows = zip(actual, wanted, found.values("evaluations"), strict=True)
            for matches, desired, before in rows:
                if desired is None:
                    said.append(before)
                    continue
                value = await settled(executor.evaluate(matches, _asked(desired, graded=graded)))
                said.append({**(before or {}), name: float(value)})
            return found.with_columns(evaluations=ValuesColumn(said))

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


def _name_of(executor: Any) -> str:
    first = getattr(executor, "eval_at", None)
    name = type(executor).__name__
    return f"{name}@{first}" if first else name


def _actual(docs: DocumentBatch, field: str) -> list[list[Any]]:
    """Return what is compared of the matches of each document, best first."""
    matches = docs.docs("matches")
    if matches is None:
        return [[] for _ in docs.ids]
    values = list(values_at(matches.docs, field))
    ends = matches.offsets.tolist()
    return [values[start:end] for start, end in pairwise(ends)]


def _asked(desired: Any, *, graded: bool) -> Any:
    """Return what should be found as the Executor takes it: grades by id, or ids alone."""
    if isinstance(desired, Mapping):
        return dict(desired) if graded else [key for key, grade in desired.items() if grade > 0]
    return dict.fromkeys(desired, 1.0) if graded else list(desired)


def _desired(docs: DocumentBatch, key: str, *, is_needed: bool) -> list[Any]:
    tags = docs.values("tags")
    lists = [tag.get(key) if isinstance(tag, Mapping) else None for tag in tags]
    kinds = (list, tuple, Mapping)
    missing = [id_ for id_, ids in zip(docs.ids, lists, strict=True) if not isinstance(ids, kinds)]
    if missing and is_needed:
        raise MissingField(f"tags.{key}", missing)
    wanted = [ids if isinstance(ids, kinds) else None for ids in lists]
    for id_, ids in zip(docs.ids, wanted, strict=True):
        if ids is not None and not _is_desirable(ids):
            problem = f"'tags.{key}' of document {id_!r} must be a list of ids, or grades by id"
            raise BadField(problem)
    return wanted


def _is_desirable(ids: Any) -> bool:
    if isinstance(ids, Mapping):
        return all(isinstance(grade, int | float) for grade in ids.values())
    return not any(isinstance(id_, list | dict) for id_ in ids)
