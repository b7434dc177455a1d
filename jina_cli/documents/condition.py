"""What a document has to be like: conditions as values, in the two forms that people write.

docarray's and Jina's, an object (or its JSON):

    {"tags__lang": {"$eq": "en"}, "$or": [{"price": {"$lt": 5}}, {"text": {"$exists": false}}]}

and that of `--where`, see `where`:

    price < 10 and lang in ('en', 'fr') and not (title like 'draft%')

What a condition says of documents, the only place where that is told; `query.matches` is it
as code, and whatever else evaluates conditions has to agree with it. Documents are never
refused, only not matched:

* A path begins with the name of a field. A name that is not among `FIELDS` is a field where the
  document has one of that name, and else the key of its `tags`. Further parts are keys of
  objects, places in lists, fields of documents.
* A field that a document lacks is null: it equals `None`, differs from all else, and does not
  exist. (docarray says that a field exists where its class declares it; columns do not know.)
* Where a path of several parts leads to nothing, only `EXISTS False` matches, not `NEQ` nor
  `NIN`. A key whose value is null leads to something. (`--where` has `!=` and `not in` as `Not`
  of `EQ` and `IN`, and `is null` as either of null and nothing.)
* What cannot be compared, a string with a number, is neither equal nor more nor less. `true` is
  1 and `false` 0.
* `REGEX` searches, `LIKE` compares the whole text: `%` stands for any characters, `_` for one,
  `\\` takes both their meaning; the case of ASCII letters is ignored.

Regular expressions are Python's, which backtrack: those that might do so for ever are refused.
Only the first `MAX_SEARCHED` characters of a text are searched by `REGEX`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from jina_cli.documents.repeats import may_explode

MAX_PATTERN: Final = 1000
MAX_SEARCHED: Final = 100_000
MAX_NESTED: Final = 32

FIELDS: Final = frozenset(
    {
        *("id", "text", "uri", "mime_type", "blob", "tensor", "embedding"),
        *("tags", "chunks", "matches"),
    }
)
"""Names that mean the field always, and never a key of `tags`."""


class Op(enum.Enum):
    """How a value is compared; the value of each is its name in docarray's form."""

    EQ = "$eq"
    NEQ = "$neq"
    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"
    IN = "$in"
    NIN = "$nin"
    REGEX = "$regex"
    SIZE = "$size"
    EXISTS = "$exists"
    LIKE = "$like"


@dataclass(frozen=True, slots=True)
class Own:
    """Stands in a `Compare` for what the document itself has at another path."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """What a document has at a path compares with a value.

    Attributes:
        path: At least one part, none empty.
        value: Any JSON value, or `Own` (not with `REGEX`, `LIKE`, `EXISTS`). A tuple for `IN`
            and `NIN`, a pattern that compiles for `REGEX`, a number from 0 for `SIZE`, a bool
            for `EXISTS`.
    """

    path: tuple[str, ...]
    op: Op
    value: Any


@dataclass(frozen=True, slots=True)
class All:
    """All conditions hold; of none that is true."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition holds; of none that is false."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A condition does not hold."""

    of: Condition


Condition: TypeAlias = Compare | All | AnyOf | Not


class BadQuery(ValueError):
    """A query means nothing.

    Attributes:
        where: What leads to what is wrong: operators and fields, `$or[1].price.$lt`, or the
            place in the text of a `--where`, `column 9`.
    """

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(f"{where}: {problem}" if where else problem)


def condition_of(given: Any) -> Condition | None:
    """Return the condition that is given in either form; None for one that says nothing.

    Args:
        given: A mapping, a list of mappings that all have to hold, either as JSON, the text of
            a `--where`, a condition, or None.

    Raises:
        BadQuery: It names an operator there is not, gives one what it does not take, or is no
            text of a condition; the message names the place.
    """
    if isinstance(given, Compare | All | AnyOf | Not):
        return given
    if isinstance(given, str | bytes):
        text = given.decode("utf-8", "replace") if isinstance(given, bytes) else given
        if not text.strip():
            return None
        if text.lstrip()[0] not in "{[":
            from jina_cli.documents.where import parse_where

            return parse_where(text)
        try:
            given = orjson.loads(text)
        except ValueError as error:
            raise BadQuery("", f"a query is not JSON: {error}") from None
    clauses = [] if given is None else _clauses(given, "", MAX_NESTED)
    return all_of(clauses) if clauses else None


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Return the one condition, or all of them as one."""
    return conditions[0] if len(conditions) == 1 else All(tuple(conditions))


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Return the one condition, or any of them as one."""
    return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))


def _none_of(conditions: Sequence[Condition]) -> Condition:
    # As docarray has it, not all of several: `$not` denies the and of what it holds.
    return Not(all_of(conditions))


_LOGICAL: Mapping[str, Callable[[Sequence[Condition]], Condition]] = {
    "$and": all_of,
    "$or": any_of,
    "$not": _none_of,
}


def _clauses(query: Any, where: str, levels: int) -> list[Condition]:
    if levels == 0:
        raise BadQuery(where, f"is nested deeper than {MAX_NESTED}")
    if isinstance(query, Mapping):
        return [_clause(key, value, where, levels) for key, value in query.items()]
    if isinstance(query, list | tuple):
        return [
            all_of(_clauses(item, f"{where}[{place}]", levels - 1))
            for place, item in enumerate(query)
        ]
    raise BadQuery(where, f"{query!r} is neither an object nor a list of objects")


def _clause(key: Any, value: Any, where: str, levels: int) -> Condition:
    if not isinstance(key, str) or not key:
        raise BadQuery(where, f"{key!r} is no name of a field")
    at = f"{where}.{key}" if where else key
    if key in _LOGICAL:
        return _LOGICAL[key](_clauses(value, at, levels - 1))
    if key.startswith("$"):
        hint = "it goes behind a field" if key in _OPERANDS else _known(_LOGICAL)
        raise BadQuery(at, f"there is no such operator here; {hint}")
    path = tuple(key.split("__"))
    if not all(path):
        raise BadQuery(at, "the path has an empty part")
    return all_of(_of_field(path, value, at, levels))


def _of_field(path: tuple[str, ...], value: Any, where: str, levels: int) -> list[Condition]:
    if levels == 0:
        raise BadQuery(where, f"is nested deeper than {MAX_NESTED}")
    if isinstance(value, list) and value:
        parts = [
            _of_field(path, v, f"{where}[{place}]", levels - 1) for place, v in enumerate(value)
        ]
        return [all_of(part) for part in parts]
    if not isinstance(value, Mapping) or not value:
        raise BadQuery(where, f"{value!r} is no operator with a value, as {{'$eq': 1}}")
    conditions: list[Condition] = []
    for key, operand in value.items():
        at = f"{where}.{key}"
        if key in _LOGICAL:
            conditions.append(_LOGICAL[key](_of_field(path, operand, at, levels - 1)))
        elif key in _OPERANDS:
            conditions.append(Compare(path, Op(key), operand_of(Op(key), operand, at)))
        else:
            raise BadQuery(at, f"there is no such operator; {_known((*_OPERANDS, *_LOGICAL))}")
    return conditions


def _known(names: Iterable[str]) -> str:
    return f"there are {', '.join(names)}"


def operand_of(op: Op, operand: Any, where: str) -> Any:
    """Return the value of a `Compare` for what was written; a string `{name}` is an `Own`.

    Raises:
        BadQuery: The operator does not take it.
    """
    own = _PLACEHOLDER.fullmatch(operand) if isinstance(operand, str) else None
    if own is not None and op not in _TAKE_NO_OTHER_FIELD:
        return Own(tuple(own[1].split("__")))
    return checked_operand(op, operand, where)


def checked_operand(op: Op, operand: Any, where: str) -> Any:
    """Return the value of a `Compare`, a string for itself.

    Raises:
        BadQuery: The operator does not take it.
    """
    try:
        return _OPERANDS[op.value](operand)
    except (ValueError, TypeError, re.error) as error:
        raise BadQuery(where, f"{operand!r} {error}") from None


_PLACEHOLDER = re.compile(r"\{\s*(\w+)\s*\}", re.ASCII)
_TAKE_NO_OTHER_FIELD = frozenset({Op.REGEX, Op.LIKE, Op.EXISTS})


def _anything(operand: Any) -> Any:
    return operand


def _items(operand: Any) -> tuple[Any, ...]:
    if isinstance(operand, list | tuple | set | frozenset):
        return tuple(operand)
    raise ValueError("is not a list")


def _whether(operand: Any) -> bool:
    if not isinstance(operand, bool):
        raise ValueError("is neither true nor false")
    return operand


def _size(operand: Any) -> int:
    if isinstance(operand, float) and operand.is_integer():
        operand = int(operand)  # JSON of Jina's clients has all numbers as floats
    if isinstance(operand, int) and not isinstance(operand, bool) and operand >= 0:
        return operand
    raise ValueError("is not a whole number from 0")


def _pattern(operand: Any) -> str:
    pattern = _short(operand, "a regular expression")
    re.compile(pattern)
    if may_explode(pattern):
        raise ValueError(f"{pattern!r} repeats a group with a repeat or | in it: may take for ever")
    return pattern


def _like(operand: Any) -> str:
    pattern = _short(operand, "a pattern")
    if re.search(r"(?<!\\)(\\\\)*\\\Z", pattern):
        raise ValueError("ends in a \\ that takes the meaning of nothing")
    return pattern


def _short(operand: Any, what: str) -> str:
    if not isinstance(operand, str):
        raise ValueError(f"is not {what}")
    if len(operand) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters")
    return operand


_OPERANDS: Mapping[str, Callable[[Any], Any]] = {
    "$eq": _anything,
    "$neq": _anything,
    "$gt": _anything,
    "$gte": _anything,
    "$lt": _anything,
    "$lte": _anything,
    "$in": _items,
    "$nin": _items,
    "$regex": _pattern,
    "$size": _size,
    "$exists": _whether,
    "$like": _like,
}
"""What each operator makes of its operand when a condition is read."""
