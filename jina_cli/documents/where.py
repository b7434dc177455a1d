"""The text form of conditions: what people write behind `--where`.

    condition  = all ("or" all)*
    all        = one ("and" one)*
    one        = "not" one | "(" condition ")" | "exists" "(" name ")" | name test
    test       = ("=" | "!=" | "<" | "<=" | ">" | ">=") value
               | ["not"] "in" "(" value ("," value)* ")"
               | ["not"] "like" text | ["not"] "between" value "and" value
               | "~" text | "is" ["not"] "null" | ["not"] "exists"
    value      = text | number | "true" | "false" | "null" | "{" name "}"
    name       = part ("." part)*

Words are known in upper and lower case. A text stands in single or double quotes, doubled within
it; a part of a name that is no word of letters, digits, `_` and `-` stands in double quotes or
backquotes. `__` parts names as `.` does. `~` searches a regular expression, `{name}` is another
field of the same document. `==` is `=`, `<>` is `!=`.

`!=`, `not in`, `not like` are the opposite of what they deny: they match documents that have no
such field as well. `= null` is `is null`: the document has no such field, or null in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from jina_cli.documents.condition import (
    MAX_NESTED,
    AnyOf,
    BadQuery,
    Compare,
    Condition,
    Not,
    Op,
    Own,
    all_of,
    any_of,
    checked_operand,
)

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    | (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    | (?P<number>[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.-]))
    | (?P<word>\w[\w-]*)
    | (?P<sign><=|>=|<>|!=|==|[=<>~(),.{}])
    """,
    re.VERBOSE,
)
_WORDS: Final = frozenset(
    {
        *("and", "or", "not", "in", "like", "between", "is", "exists"),
        *("true", "false", "null"),
    }
)
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_COMPARISONS: Final = {
    "=": Op.EQ,
    "==": Op.EQ,
    "!=": Op.EQ,
    "<>": Op.EQ,
    "<": Op.LT,
    "<=": Op.LTE,
    ">": Op.GT,
    ">=": Op.GTE,
}
_DENIED: Final = frozenset({"!=", "<>"})
_SHOWN: Final = 20
"""Digits of a number that cannot be, in the error."""


@dataclass(frozen=True, slots=True)
class _Token:
    """One word, sign, text or number.

    Attributes:
        kind: A group of `_TOKEN`, `keyword` for a word that has a meaning, `end` at the end.
        text: As it was written; keywords in lower case.
        column: Of its first character, from 1.
    """

    kind: str
    text: str
    column: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


def parse_where(text: str) -> Condition:
    """Return the condition that a text says.

    Raises:
        BadQuery: It is none; the message begins with the column, from 1.
    """
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _bad_character(text, place)
        kind, value = str(found.lastgroup), found[0]
        if kind == "word" and value.lower() in _WORDS:
            kind, value = "keyword", value.lower()
        if kind != "blank":
            tokens.append(_Token(kind, value, place + 1))
        place = found.end()
    return [*tokens, _Token("end", "", len(text) + 1)]


def _bad_character(text: str, place: int) -> BadQuery:
    character = text[place]
    if character in "'\"`":
        return BadQuery(f"column {place + 1}", f"this {character} is never closed")
    return BadQuery(f"column {place + 1}", f"{character!r} means nothing here")


class _Parser:
    """Reads tokens from left to right, each once."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._levels = MAX_NESTED

    def whole(self) -> Condition:
        condition = self._any()
        if self._now.kind != "end":
            raise self._unexpected("'and', 'or' or the end")
        return condition

    @property
    def _now(self) -> _Token:
        return self._tokens[self._place]

    def _any(self) -> Condition:
        return any_of(self._several("or", self._all))

    def _all(self) -> Condition:
        return all_of(self._several("and", self._one))

    def _several(self, word: str, read: Callable[[], Condition]) -> list[Condition]:
        conditions = [read()]
        while self._took("keyword", word):
            conditions.append(read())
        return conditions

    def _one(self) -> Condition:
        if self._took("keyword", "not"):
            return Not(self._deeper(self._one))
        if self._took("sign", "("):
            condition = self._deeper(self._any)
            self._need(")")
            return condition
        if self._took("keyword", "exists"):
            self._need("(")
            path = self._name()
            self._need(")")
            return Compare(path, Op.EXISTS, True)
        return self._test(self._name())

    def _deeper(self, read: Callable[[], Condition]) -> Condition:
        if self._levels == 0:
            raise BadQuery(f"column {self._now.column}", f"is nested deeper than {MAX_NESTED}")
        self._levels -= 1
        condition = read()
        self._levels += 1
        return condition

    def _test(self, path: tuple[str, ...]) -> Condition:
        token = self._now
        if token.kind == "sign" and token.text in _COMPARISONS:
            return self._comparison(path)
        if self._took("sign", "~"):
            return Compare(path, Op.REGEX, self._operand(Op.REGEX))
        if self._took("keyword", "is"):
            denies = self._took("keyword", "not")
            if not self._took("keyword", "null"):
                raise self._unexpected("'null'" if denies else "'null' or 'not null'")
            return _denied(_is_null(path), denies)
        return self._deniable(path, self._took("keyword", "not"))

    def _deniable(self, path: tuple[str, ...], denies: bool) -> Condition:
        if self._took("keyword", "exists"):
            return Compare(path, Op.EXISTS, not denies)
        if self._took("keyword", "in"):
            return _denied(Compare(path, Op.IN, self._values()), denies)
        if self._took("keyword", "like"):
            return _denied(Compare(path, Op.LIKE, self._operand(Op.LIKE)), denies)
        if self._took("keyword", "between"):
            return _denied(self._between(path), denies)
        if denies:
            raise self._unexpected("'in', 'like', 'between' or 'exists'")
        raise self._unexpected("a comparison such as '=', '<', 'in', 'like' or 'is null'")

    def _comparison(self, path: tuple[str, ...]) -> Condition:
        sign = self._take().text
        value = self._value()
        denies = sign in _DENIED
        op = _COMPARISONS[sign]
        if value is None and op is Op.EQ:
            return _denied(_is_null(path), denies)
        return _denied(Compare(path, op, value), denies)

    def _between(self, path: tuple[str, ...]) -> Condition:
        least = self._value()
        if not self._took("keyword", "and"):
            raise self._unexpected("'and' between the least and the most")
        return all_of([Compare(path, Op.GTE, least), Compare(path, Op.LTE, self._value())])

    def _operand(self, op: Op) -> Any:
        column = self._now.column
        return checked_operand(op, self._literal(), f"column {column}")

    def _values(self) -> tuple[Any, ...]:
        self._need("(")
        values = [self._literal()]
        while self._took("sign", ","):
            values.append(self._literal())
        if not self._took("sign", ")"):
            raise self._unexpected("',' or ')'")
        return tuple(values)

    def _value(self) -> Any:
        if self._took("sign", "{"):
            own = Own(self._name())
            self._need("}")
            return own
        return self._literal()

    def _literal(self) -> Any:
        token = self._now
        if token.kind in ("text", "quoted"):
            return _unquoted(self._take().text)
        if token.kind == "number":
            return _number(self._take())
        if token.kind == "keyword" and token.text in _CONSTANTS:
            return _CONSTANTS[self._take().text]
        if token.kind == "word":
            hint = f"text stands in quotes: '{token.text}'"
            raise BadQuery(f"column {token.column}", f"{token.text!r} is no value; {hint}")
        raise self._unexpected("a value such as 'text', 5 or true")

    def _name(self) -> tuple[str, ...]:
        parts = self._part("quoted", "word")
        while self._took("sign", "."):
            parts += self._part("quoted", "word", "number")
        return tuple(parts)

    def _part(self, *kinds: str) -> list[str]:
        token = self._now
        if token.kind not in kinds:
            raise self._unexpected("the name of a field")
        text = self._take().text
        # Places in lists of lists, `0.1`, look like a number.
        parts = [_unquoted(text)] if token.kind == "quoted" else re.split(r"__|\.", text)
        if not all(parts):
            raise BadQuery(f"column {token.column}", "the name of a field has an empty part")
        return parts

    def _need(self, sign: str) -> None:
        if not self._took("sign", sign):
            raise self._unexpected(repr(sign))

    def _took(self, kind: str, text: str) -> bool:
        token = self._now
        if (token.kind, token.text) != (kind, text):
            return False
        self._place += 1
        return True

    def _take(self) -> _Token:
        token = self._now
        self._place += 1
        return token

    def _unexpected(self, expected: str) -> BadQuery:
        token = self._now
        return BadQuery(f"column {token.column}", f"expected {expected}, not {token.shown}")


def _is_null(path: tuple[str, ...]) -> Condition:
    return AnyOf((Compare(path, Op.EQ, None), Compare(path, Op.EXISTS, False)))


def _denied(condition: Condition, denies: bool) -> Condition:
    return Not(condition) if denies else condition


def _number(token: _Token) -> int | float:
    number = float(token.text)
    if not isfinite(number):
        shown = token.text if len(token.text) <= _SHOWN else f"{token.text[:_SHOWN]}…"
        raise BadQuery(f"column {token.column}", f"{shown} is too large for a number")
    return int(token.text) if token.text.lstrip("+-").isdigit() else number


def _unquoted(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)
