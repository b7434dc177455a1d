"""Which documents a condition matches: the semantics of `condition`, over columns."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, Indices, NodesColumn, rows_of
from jina_cli.documents.condition import (
    FIELDS,
    MAX_PATTERN,
    MAX_SEARCHED,
    All,
    AnyOf,
    BadQuery,
    Compare,
    Condition,
    Not,
    Op,
    Own,
    condition_of,
)
from jina_cli.documents.nodes import UnknownElements, node_value

__all__ = ["MAX_PATTERN", "BadQuery", "Mask", "Query", "matches"]

Mask: TypeAlias = NDArray[np.bool_]
_Holds: TypeAlias = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read and is in order.

    Attributes:
        condition: What it says; None for one that is met by all documents.
    """

    condition: Condition | None

    @classmethod
    def of(cls, query: Any) -> Query:
        """Return the query that a mapping, a list of these, JSON or the text of a `--where` says.

        Raises:
            BadQuery: It names an operator there is not, or gives one what it does not take.
        """
        return cls(condition_of(query))

    def matching(self, batch: DocumentBatch) -> Indices:
        """Return the places of the documents that match, in order."""
        return np.flatnonzero(matches(self.condition, batch)).astype(np.int64, copy=False)


def matches(condition: Condition | None, batch: DocumentBatch) -> Mask:
    """Return which documents match, shape `(documents,)`; None is met by all."""
    match condition:
        case None:
            return np.ones(len(batch), np.bool_)
        case Compare():
            return _compared(condition, batch)
        case Not(of):
            return ~matches(of, batch)
        case All(of):
            mask = np.ones(len(batch), np.bool_)
            for one in of:
                mask &= matches(one, batch)
            return mask
        case AnyOf(of):
            mask = np.zeros(len(batch), np.bool_)
            for one in of:
                mask |= matches(one, batch)
            return mask


def _compared(compare: Compare, batch: DocumentBatch) -> Mask:
    path, op, wanted = compare.path, compare.op, compare.value
    holds = _HOLDS[op]
    if isinstance(wanted, Own):
        return _mask(batch, map(holds, _values(batch, path), _values(batch, wanted.path)))
    if op is Op.EXISTS and len(path) == 1:
        return _mask(batch, ((v is not None) is wanted for v in _named(batch, *path)))
    if op is Op.REGEX:
        wanted = re.compile(wanted)
    elif op is Op.LIKE:
        wanted = _like_parts(wanted)
    values = _values(batch, path)
    plainly = _COMPARISONS.get(op)
    alike = _NUMBERS if type(wanted) in _NUMBERS else {type(wanted)} & {str}
    if plainly is not None and set(map(type, values)) <= alike:
        return _mask(batch, map(plainly, values, repeat(wanted)))
    return _mask(batch, map(holds, values, repeat(wanted)))


def _mask(batch: DocumentBatch, matches: Iterable[bool]) -> Mask:
    return np.fromiter(matches, np.bool_, len(batch))


_NUMBERS: Final = frozenset({int, float, bool})
_COMPARISONS: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NEQ: operator.ne,
    Op.GT: operator.gt,
    Op.GTE: operator.ge,
    Op.LT: operator.lt,
    Op.LTE: operator.le,
}
"""What the operators come to where all values are of the operand's kind."""


_MISSING: Final = object()


def _values(batch: DocumentBatch, path: tuple[str, ...]) -> Sequence[Any]:
    """Return what each document has at a path: None for null, `_MISSING` for what is not."""
    values = _named(batch, path[0])
    if len(path) > 1:
        values = [_MISSING if value is None else value for value in values]
    for part in path[1:]:
        values = [_inside(value, part) for value in values]
    return values


def _named(batch: DocumentBatch, name: str) -> Sequence[Any]:
    """Return what each document has under a name: its field, or else that key of its tags."""
    values = _field(batch, name)
    if name in FIELDS or "tags" not in batch.columns:
        return values
    tags = _field(batch, "tags")
    return [
        tag.get(name) if value is None and isinstance(tag, Mapping) else value
        for value, tag in zip(values, tags, strict=True)
    ]


def _field(batch: DocumentBatch, name: str) -> Sequence[Any]:
    if name == "id":
        return batch.ids
    column = batch.columns.get(name)
    if isinstance(column, NodesColumn):
        return [None if node is None else _node(node) for node in column.values]
    if isinstance(column, DocsColumn) and column.present is not None:
        lists = zip(rows_of(column), column.present, strict=True)
        return [docs if there else None for docs, there in lists]
    return batch.values(name)


def _node(node: bytes) -> Any:
    try:
        return node_value(node)
    except UnknownElements:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _Doc:
    """One document of a field of documents."""

    docs: DocumentBatch
    place: int


def _inside(value: Any, part: str) -> Any:
    if value is None or value is _MISSING:
        return value
    if isinstance(value, Mapping):
        return value.get(part, _MISSING)
    if isinstance(value, _Doc):
        found = _named(value.docs.slice(value.place, value.place + 1), part)[0]
        return _MISSING if found is None else found
    if not isinstance(value, list | tuple | np.ndarray | DocumentBatch):
        return _MISSING
    try:
        place = range(len(value))[int(part)]
    except (ValueError, IndexError, TypeError):
        return _MISSING
    return _Doc(value, place) if isinstance(value, DocumentBatch) else value[place]


def _comparing(compare: Callable[[Any, Any], Any]) -> _Holds:
    def holds(value: Any, wanted: Any) -> bool:
        if value is None or value is _MISSING:
            return False
        return _is_true(compare, value, wanted)

    return holds


def _equals(value: Any, wanted: Any) -> bool:
    return _is_true(operator.eq, value, wanted)


def _differs(value: Any, wanted: Any) -> bool:
    return value is not _MISSING and _is_true(operator.ne, value, wanted)


def _is_true(compare: Callable[[Any, Any], Any], value: Any, wanted: Any) -> bool:
    try:
        return bool(compare(value, wanted))
    except (TypeError, ValueError):  # kinds that have no order, and arrays, which are many
        return False


def _among(value: Any, wanted: Any) -> bool:
    return any(_equals(value, item) for item in _items(wanted))


def _not_among(value: Any, wanted: Any) -> bool:
    return value is not _MISSING and not _among(value, wanted)


def _items(wanted: Any) -> Sequence[Any]:
    return wanted if isinstance(wanted, list | tuple) else ()


def _exists(value: Any, wanted: bool) -> bool:
    return (value is not _MISSING) is wanted


def _has_size(value: Any, wanted: int) -> bool:
    try:
        return len(value) == wanted
    except TypeError:
        return False


def _found(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.search(value, 0, MAX_SEARCHED) is not None


_Like: TypeAlias = tuple[re.Pattern[str], ...]


def _like_parts(pattern: str) -> _Like:
    """Return what stands between the `%` of a pattern; `_` and escapes are taken care of."""
    parts, part = [], ""
    for character in re.findall(r"\\.|.", pattern, re.DOTALL):
        if character == "%":
            parts.append(part)
            part = ""
        else:
            part += "." if character == "_" else re.escape(character[-1])
    # All but the first are searched for, so it is the last that has to say where it stands.
    flags = re.IGNORECASE | re.ASCII | re.DOTALL
    return tuple(re.compile(one, flags) for one in [*parts, part + r"\Z"])


def _is_like(value: Any, wanted: _Like) -> bool:
    """Return whether a text has the parts of a pattern one behind the other, from end to end.

    Each part is looked for once, as far left as it goes, so nothing backtracks.
    """
    if not isinstance(value, str):
        return False
    found = wanted[0].match(value)
    for part in wanted[1:]:
        if found is None:
            return False
        found = part.search(value, found.end())
    return found is not None


_HOLDS: Mapping[Op, _Holds] = {
    Op.EQ: _equals,
    Op.NEQ: _differs,
    Op.GT: _comparing(operator.gt),
    Op.GTE: _comparing(operator.ge),
    Op.LT: _comparing(operator.lt),
    Op.LTE: _comparing(operator.le),
    Op.IN: _among,
    Op.NIN: _not_among,
    Op.REGEX: _found,
    Op.SIZE: _has_size,
    Op.EXISTS: _exists,
    Op.LIKE: _is_like,
}
"""What each operator says of a value and of what it is compared with."""
