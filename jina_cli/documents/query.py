"""Which documents a query matches, in the query language that docarray and Jina have.

    {"tags__lang": {"$eq": "en"}, "$or": [{"price": {"$lt": 5}}, {"text": {"$exists": False}}]}

A name is a field, or a path with `__` between its parts: keys of values, places in lists, fields
of documents. Operators of one field, fields of one object and items of a list all have to hold,
save in `$or`. Documents are never refused, only not matched:

* A field that a document lacks is null: it equals `None`, differs from all else, and does not
  exist. (docarray says that a field exists where its class declares it; columns do not know.)
* Where a path leads to nothing, only `$exists: False` matches, not `$neq` nor `$nin`. A key whose
  value is null leads to something.
* What cannot be compared, a string with a number, is neither more nor less.
* A string `{name}` stands for the document's own field of that name.

Regular expressions are Python's, which backtrack: a query is as trusted as who wrote it. Only
the first `MAX_SEARCHED` characters of a text are searched.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, Indices, NodesColumn, rows_of
from jina_cli.documents.nodes import UnknownElements, node_value

MAX_PATTERN: Final = 1000
MAX_SEARCHED: Final = 100_000
MAX_NESTED: Final = 32

Mask: TypeAlias = NDArray[np.bool_]
_Test: TypeAlias = Callable[[DocumentBatch], Mask]
_Holds: TypeAlias = Callable[[Any, Any], bool]


class BadQuery(ValueError):
    """A query means nothing.

    Attributes:
        where: The operators and fields that lead to what is wrong, `$or[1].price.$lt`.
    """

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(f"{where}: {problem}" if where else problem)


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read and is in order."""

    _test: _Test

    @classmethod
    def of(cls, query: Any) -> Query:
        """Return the query that a mapping, a list of these, or either as JSON, says.

        One that says nothing is met by all documents.

        Raises:
            BadQuery: It names an operator there is not, or gives one what it does not take.
        """
        if isinstance(query, str | bytes):
            try:
                query = orjson.loads(query) if query else None
            except ValueError as error:
                raise BadQuery("", f"a query is not JSON: {error}") from None
        return cls(_all_of([] if query is None else _clauses(query, "", MAX_NESTED)))

    def matching(self, batch: DocumentBatch) -> Indices:
        """Return the places of the documents that match, in order."""
        return np.flatnonzero(self._test(batch)).astype(np.int64, copy=False)


def _all_of(tests: Sequence[_Test]) -> _Test:
    def test(batch: DocumentBatch) -> Mask:
        mask = np.ones(len(batch), np.bool_)
        for one in tests:
            mask &= one(batch)
        return mask

    return tests[0] if len(tests) == 1 else test


def _any_of(tests: Sequence[_Test]) -> _Test:
    def test(batch: DocumentBatch) -> Mask:
        mask = np.zeros(len(batch), np.bool_)
        for one in tests:
            mask |= one(batch)
        return mask

    return test


def _none_of(tests: Sequence[_Test]) -> _Test:
    # As docarray has it, not all of several: `$not` denies the and of what it holds.
    denied = _all_of(tests)
    return lambda batch: ~denied(batch)


_LOGICAL: Mapping[str, Callable[[Sequence[_Test]], _Test]] = {
    "$and": _all_of,
    "$or": _any_of,
    "$not": _none_of,
}


def _clauses(query: Any, where: str, levels: int) -> list[_Test]:
    if levels == 0:
        raise BadQuery(where, f"is nested deeper than {MAX_NESTED}")
    if isinstance(query, Mapping):
        return [_clause(key, value, where, levels) for key, value in query.items()]
    if isinstance(query, list | tuple):
        return [
            _all_of(_clauses(item, f"{where}[{place}]", levels - 1))
            for place, item in enumerate(query)
        ]
    raise BadQuery(where, f"{query!r} is neither an object nor a list of objects")


def _clause(key: Any, value: Any, where: str, levels: int) -> _Test:
    if not isinstance(key, str) or not key:
        raise BadQuery(where, f"{key!r} is no name of a field")
    at = f"{where}.{key}" if where else key
    if key in _LOGICAL:
        return _LOGICAL[key](_clauses(value, at, levels - 1))
    if key.startswith("$"):
        hint = "it goes behind a field" if key in _OPERATORS else _known(_LOGICAL)
        raise BadQuery(at, f"there is no such operator here; {hint}")
    path = tuple(key.split("__"))
    if not all(path):
        raise BadQuery(at, "the path has an empty part")
    return _all_of(_of_field(path, value, at, levels))


def _of_field(path: tuple[str, ...], value: Any, where: str, levels: int) -> list[_Test]:
    if levels == 0:
        raise BadQuery(where, f"is nested deeper than {MAX_NESTED}")
    if isinstance(value, list) and value:
        parts = [
            _of_field(path, v, f"{where}[{place}]", levels - 1) for place, v in enumerate(value)
        ]
        return [_all_of(part) for part in parts]
    if not isinstance(value, Mapping) or not value:
        raise BadQuery(where, f"{value!r} is no operator with a value, as {{'$eq': 1}}")
    tests = []
    for key, operand in value.items():
        at = f"{where}.{key}"
        if key in _LOGICAL:
            tests.append(_LOGICAL[key](_of_field(path, operand, at, levels - 1)))
        elif key in _OPERATORS:
            tests.append(_leaf(path, key, operand, at))
        else:
            raise BadQuery(at, f"there is no such operator; {_known((*_OPERATORS, *_LOGICAL))}")
    return tests


def _known(names: Iterable[str]) -> str:
    return f"there are {', '.join(names)}"


def _leaf(path: tuple[str, ...], name: str, operand: Any, where: str) -> _Test:
    holds, prepare = _OPERATORS[name]
    try:
        wanted = prepare(operand)
    except (ValueError, TypeError, re.error) as error:
        raise BadQuery(where, f"{operand!r} {error}") from None
    own = _PLACEHOLDER.fullmatch(operand) if isinstance(operand, str) else None
    if own is not None and name != "$regex":
        other = tuple(own[1].split("__"))
        return lambda batch: _mask(batch, map(holds, _values(batch, path), _values(batch, other)))
    if name == "$exists" and len(path) == 1:
        return lambda batch: _mask(batch, ((v is not None) is wanted for v in _field(batch, *path)))
    compare = _COMPARISONS.get(name)
    alike = _NUMBERS if type(wanted) in _NUMBERS else {type(wanted)} & {str}

    def test(batch: DocumentBatch) -> Mask:
        values = _values(batch, path)
        if compare is not None and set(map(type, values)) <= alike:
            return _mask(batch, map(compare, values, repeat(wanted)))
        return _mask(batch, map(holds, values, repeat(wanted)))

    return test


def _mask(batch: DocumentBatch, matches: Iterable[bool]) -> Mask:
    return np.fromiter(matches, np.bool_, len(batch))


_NUMBERS: Final = frozenset({int, float, bool})
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$neq": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
"""What the operators come to where all values are of the operand's kind."""


_PLACEHOLDER = re.compile(r"\{\s*(\w+)\s*\}", re.ASCII)
_MISSING: Final = object()


def _values(batch: DocumentBatch, path: tuple[str, ...]) -> Sequence[Any]:
    """Return what each document has at a path: None for null, `_MISSING` for what is not."""
    values = _field(batch, path[0])
    if len(path) > 1:
        values = [_MISSING if value is None else value for value in values]
    for part in path[1:]:
        values = [_inside(value, part) for value in values]
    return values


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
        found = _field(value.docs, part)[value.place]
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


def _anything(operand: Any) -> Any:
    return operand


def _list(operand: Any) -> Any:
    if isinstance(operand, list | tuple | set | frozenset):
        return list(operand)
    if isinstance(operand, str) and _PLACEHOLDER.fullmatch(operand):
        return operand
    raise ValueError("is not a list")


def _whether(operand: Any) -> bool:
    if not isinstance(operand, bool):
        raise ValueError("is neither true nor false")
    return operand


def _size(operand: Any) -> Any:
    if isinstance(operand, int) and not isinstance(operand, bool) and operand >= 0:
        return operand
    if isinstance(operand, str) and _PLACEHOLDER.fullmatch(operand):
        return operand
    raise ValueError("is not a whole number from 0")


def _pattern(operand: Any) -> re.Pattern[str]:
    if not isinstance(operand, str):
        raise ValueError("is not a regular expression")
    if len(operand) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters")
    return re.compile(operand)


_OPERATORS: Mapping[str, tuple[Callable[[Any, Any], bool], Callable[[Any], Any]]] = {
    "$eq": (_equals, _anything),
    "$neq": (_differs, _anything),
    "$gt": (_comparing(operator.gt), _anything),
    "$gte": (_comparing(operator.ge), _anything),
    "$lt": (_comparing(operator.lt), _anything),
    "$lte": (_comparing(operator.le), _anything),
    "$in": (_among, _list),
    "$nin": (_not_among, _list),
    "$regex": (_found, _pattern),
    "$size": (_has_size, _size),
    "$exists": (_exists, _whether),
}
"""What each operator says of a value, and what it makes of its operand when a query is read."""
