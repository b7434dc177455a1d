"""Conditions as SQL over the bodies of documents: true, false, or null where SQL cannot tell.

What has to be decided by looking at the document itself, such as values inside lists, is null,
and AND, OR and NOT of SQL carry that along as they should. So whatever is not null is what
`documents.query.matches` says, and the rest is asked of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jina_cli.documents.condition import FIELDS, All, AnyOf, Compare, Condition, Not, Op, Own

_JSON = "CASE length(body) WHEN 0 THEN '{}' ELSE CAST(body AS TEXT) END"
_UNKNOWN = "NULL"
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)  # never a place in a list, nor escaped in JSON
_MOST_ITEMS = 20  # more are looked up faster than they are compared one by one
_LARGEST = 2**63 - 1
_COMPARISONS = {Op.EQ: "=", Op.GT: ">", Op.GTE: ">=", Op.LT: "<", Op.LTE: "<="}


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression of SQL and its parameters, in order."""

    sql: str
    parameters: tuple[Any, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether it tells nothing of any document."""
        return self.sql == _UNKNOWN


@dataclass(frozen=True, slots=True)
class _Value:
    """What documents have at a path, as names of columns or as expressions.

    Attributes:
        kind: As `json_type` has it; "gone" for nothing, "null" for a field that is not there.
        value: As `json_extract` has it.
        absent: The kind of what does not exist.
        has_zero: Whether a text may have a zero, at which some of SQLite's functions end.
    """

    kind: str
    value: str
    absent: str
    has_zero: str = "has_zero"


class _Values:
    """The paths that a condition looks at, each a pair of columns."""

    def __init__(self, beside: frozenset[str] | None) -> None:
        self._beside = beside
        self._known: dict[tuple[str, ...], _Value] = {}
        self.columns = ["rowid", "id", r"instr(json, '\u0000') AS has_zero"]

    def at(self, path: tuple[str, ...]) -> _Value | None:
        """Return what documents have at a path; None if SQL cannot tell."""
        if path == ("id",):
            return _Value("'text'", "id", "gone", "instr(id, char(0))")
        if path not in self._known:
            value = _value_at(path, self._beside)
            if value is None:
                return None
            number = len(self._known)
            self.columns += [f"{value.kind} AS kind{number}", f"{value.value} AS value{number}"]
            self._known[path] = _Value(f"kind{number}", f"value{number}", value.absent)
        return self._known[path]


def _value_at(path: tuple[str, ...], beside: frozenset[str] | None) -> _Value | None:
    if beside is None or "tags" in beside or not all(map(_NAME.fullmatch, path)):
        return None
    match path:
        case ("tags", key):
            tag = _at("tags", key)
            return _Value(f"coalesce(json_type({tag}), 'gone')", f"json_extract({tag})", "gone")
        case (name,) if name not in FIELDS and name not in beside:
            field, tag = _at(name), _at("tags", name)
            return _Value(
                f"coalesce(nullif(json_type({field}), 'null'), json_type({tag}), 'null')",
                f"coalesce(json_extract({field}), json_extract({tag}))",
                "null",
            )
        case _:
            return None


def select_told(condition: Condition, beside: frozenset[str] | None) -> Compiled | None:
    """Return a SELECT of `rowid` and `told` of the documents for which that is not false.

    None if SQL can tell it of no document.

    Args:
        beside: Names of fields that may not be in the bodies; None is any.
    """
    values = _Values(beside)
    told = _compiled(condition, values)
    if told.is_unknown:
        return None
    # The limits that are none keep SQLite from computing a column wherever it is named.
    return Compiled(
        f"SELECT rowid, {told.sql} AS told FROM (SELECT {', '.join(values.columns)} FROM"
        f" (SELECT rowid, id, {_JSON} AS json FROM documents LIMIT -1) LIMIT -1)"
        " WHERE told IS NOT 0",
        told.parameters,
    )


def _compiled(condition: Condition, values: _Values) -> Compiled:
    match condition:
        case Compare():
            return _compare(condition, values.at(condition.path))
        case Not(of):
            inner = _compiled(of, values)
            return inner if inner.is_unknown else Compiled(f"NOT {inner.sql}", inner.parameters)
        case All(of):
            return _joined("AND", "1", [_compiled(one, values) for one in of])
        case AnyOf(of):
            return _joined("OR", "0", [_compiled(one, values) for one in of])


def _joined(operator: str, nothing: str, parts: Sequence[Compiled]) -> Compiled:
    if not parts:
        return Compiled(nothing)
    if all(part.is_unknown for part in parts):
        return parts[0]
    sql = f" {operator} ".join(part.sql for part in parts)
    return Compiled(f"({sql})", tuple(p for part in parts for p in part.parameters))


def _compare(compare: Compare, value: _Value | None) -> Compiled:
    if value is None or isinstance(compare.value, Own):
        return Compiled(_UNKNOWN)
    match compare.op:
        case Op.EXISTS:
            return Compiled(f"({value.kind} {'<>' if compare.value else '='} '{value.absent}')")
        case Op.NEQ:
            return _unless_gone(value, [compare.value])
        case Op.NIN:
            return _unless_gone(value, compare.value)
        case Op.IN:
            return _among(value, compare.value)
        case Op.LIKE:
            return _told(value, "text", "LIKE ? ESCAPE '\\'", compare.value)
        case op if op in _COMPARISONS:
            return _ordered(value, op, compare.value)
        case _:
            return Compiled(_UNKNOWN)


def _unless_gone(value: _Value, items: Sequence[Any]) -> Compiled:
    among = _among(value, items)
    if among.is_unknown:
        return among
    # A field that is not there is null, and so differs from all else; it is never gone.
    return Compiled(f"({value.kind} <> 'gone' AND NOT {among.sql})", among.parameters)


def _among(value: _Value, items: Sequence[Any]) -> Compiled:
    parts = [_ordered(value, Op.EQ, item) for item in items]
    if any(part.is_unknown for part in parts) or len(parts) > _MOST_ITEMS:
        return Compiled(_UNKNOWN)
    return _joined("OR", "0", parts)


def _ordered(value: _Value, op: Op, wanted: Any) -> Compiled:
    comparison = f"{_COMPARISONS[op]} ?"
    match wanted:
        case None:
            return Compiled(f"({value.kind} = 'null')" if op is Op.EQ else "0")
        case bool() | int() if abs(wanted) <= _LARGEST:
            return _told(value, "number", comparison, int(wanted))
        case float() if math.isfinite(wanted):
            return _told(value, "number", comparison, wanted)
        case str() if "\0" not in wanted and wanted.isprintable():
            return _told(value, "text", comparison, wanted)
        case _:
            return Compiled(_UNKNOWN)


def _told(value: _Value, kind: str, comparison: str, wanted: Any) -> Compiled:
    """Return a comparison that holds for values of one kind only.

    SQLite rounds whole numbers beyond 64 bits, and may be off by the last bit of others.
    """
    doubts: tuple[Any, ...] = ()
    if kind == "text":
        kinds, unsure = "('text')", value.has_zero
    else:
        kinds = "('integer', 'real', 'true', 'false')"
        unsure = (
            f"typeof({value.value}) = 'real' AND ({value.kind} = 'integer'"
            f" OR abs({value.value}) NOT BETWEEN 1e-300 AND 1e300"
            f" OR abs({value.value} - ?) <= 1e-12 * abs(?))"
        )
        doubts = (wanted, wanted)
    return Compiled(
        f"(CASE WHEN {value.kind} NOT IN {kinds} THEN 0 WHEN {unsure} THEN NULL"
        f" ELSE {value.value} {comparison} END)",
        (*doubts, wanted),
    )


def _at(*names: str) -> str:
    quoted = "".join(f'."{name}"' for name in names)
    return f"json, '${quoted}'"
