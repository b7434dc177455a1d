"""The text of a `--where`: what it says, and where it says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.condition import (
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
from jina_cli.documents.query import Query, matches
from jina_cli.documents.rows import from_rows
from jina_cli.documents.where import parse_where


def compare(name: str, op: Op, value: Any) -> Compare:
    return Compare(tuple(name.split(".")), op, value)


def is_null(name: str) -> Condition:
    return AnyOf((compare(name, Op.EQ, None), compare(name, Op.EXISTS, False)))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("price < 10", compare("price", Op.LT, 10)),
        ("price>=-1.5e3", compare("price", Op.GTE, -1500.0)),
        ("a = 1 or b = 2 and c = 3", AnyOf((
            compare("a", Op.EQ, 1), All((compare("b", Op.EQ, 2), compare("c", Op.EQ, 3))),
        ))),
        ("(a == 1 OR b = 2) AND c = 3", All((
            AnyOf((compare("a", Op.EQ, 1), compare("b", Op.EQ, 2))), compare("c", Op.EQ, 3),
        ))),
        ("not a = 1 and b = 2", All((Not(compare("a", Op.EQ, 1)), compare("b", Op.EQ, 2)))),
        ("a != 'x'", Not(compare("a", Op.EQ, "x"))),
        ("a <> 'x'", Not(compare("a", Op.EQ, "x"))),
        ("lang in ('en', \"fr\", 3, true, null)",
         compare("lang", Op.IN, ("en", "fr", 3, True, None))),
        ("lang not in ('en')", Not(compare("lang", Op.IN, ("en",)))),
        ("title like '%it''s%'", compare("title", Op.LIKE, "%it's%")),
        ("title not like 'a_'", Not(compare("title", Op.LIKE, "a_"))),
        ("price between 1 and 2 and x = 1", All((
            All((compare("price", Op.GTE, 1), compare("price", Op.LTE, 2))),
            compare("x", Op.EQ, 1),
        ))),
        ("price is null", is_null("price")),
        ("price = null", is_null("price")),
        ("price is not null", Not(is_null("price"))),
        ("price != null", Not(is_null("price"))),
        ("price exists", compare("price", Op.EXISTS, True)),
        ("exists(price)", compare("price", Op.EXISTS, True)),
        ("price not exists", compare("price", Op.EXISTS, False)),
        ("text ~ '^a'", compare("text", Op.REGEX, "^a")),
        ("tags.a__b.0.1 = 1", compare("tags.a.b.0.1", Op.EQ, 1)),
        ("tags.\"my key\".`x.y` = 1", Compare(("tags", "my key", "x.y"), Op.EQ, 1)),
        ("price < {tags.cost}", compare("price", Op.LT, Own(("tags", "cost")))),
        ("a = '{b}'", compare("a", Op.EQ, "{b}")),
        ("content-type = 'x'", compare("content-type", Op.EQ, "x")),
        ("größe > 3", compare("größe", Op.GT, 3)),
    ],
)  # fmt: skip
def test_a_text_says(text: str, condition: Condition) -> None:
    assert condition_of(text) == condition


@pytest.mark.parametrize("nothing", [None, "", "  ", {}, [], "{}", b"[]"])
def test_nothing_says_nothing(nothing: Any) -> None:
    assert condition_of(nothing) is None


def test_a_size_may_come_as_a_float_as_from_clients_of_jina() -> None:
    assert condition_of({"a": {"$size": 2.0}}) == Compare(("a",), Op.SIZE, 2)


def test_a_condition_is_taken_as_it_is() -> None:
    condition = compare("a", Op.EQ, 1)

    assert condition_of(condition) is condition


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("price <", "column 8: expected a value such as 'text', 5 or true, not the end"),
        ("price < and", "column 9: expected a value such as 'text', 5 or true, not 'and'"),
        ("lang = en", "column 8: 'en' is no value; text stands in quotes: 'en'"),
        ("day > 2024-01-01", "column 7: '2024-01-01' is no value; text stands in quotes: "
                             "'2024-01-01'"),
        ("lang = 'en", "column 8: this ' is never closed"),
        ("price ! 5", "column 7: '!' means nothing here"),
        ("(price < 5", "column 11: expected ')', not the end"),
        ("price < 5)", "column 10: expected 'and', 'or' or the end, not ')'"),
        ("title like 5", "column 12: 5 is not a pattern"),
        ("title like 'x\\'", "column 12: 'x\\\\' ends in a \\ that takes the meaning of nothing"),
        ("title ~ '('", "column 9: '(' missing ), unterminated subpattern at position 0"),
        ("price in 5", "column 10: expected '(', not '5'"),
        ("price in (1 2)", "column 13: expected ',' or ')', not '2'"),
        ("price in ({x})", "column 11: expected a value such as 'text', 5 or true, not '{'"),
        ("price between 1, 2", "column 16: expected 'and' between the least and the most, not ','"),
        ("price is 5", "column 10: expected 'null' or 'not null', not '5'"),
        ("price not < 5", "column 11: expected 'in', 'like', 'between' or 'exists', not '<'"),
        ("price", "column 6: expected a comparison such as '=', '<', 'in', 'like' or 'is null', "
                  "not the end"),
        ("5 = price", "column 1: expected the name of a field, not '5'"),
        ("a..b = 1", "column 3: expected the name of a field, not '.'"),
        ("a____b = 1", "column 1: the name of a field has an empty part"),
        ("a = 1e999", "column 5: 1e999 is too large for a number"),
        (f"a = {'9' * 5000}", f"column 5: {'9' * 20}… is too large for a number"),
        ("not " * 40 + "a = 1", "column 133: is nested deeper than 32"),
        ("(" * 40 + "a = 1" + ")" * 40, "column 34: is nested deeper than 32"),
    ],
)  # fmt: skip
def test_a_text_that_says_nothing_is_refused_at_its_column(text: str, problem: str) -> None:
    with pytest.raises(BadQuery) as caught:
        condition_of(text)

    assert str(caught.value) == problem


@given(st.text("ab=<>!~(){}.,'\"`10 \\%") | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    condition, column = None, 1
    try:
        condition = parse_where(text)
    except BadQuery as error:
        column = int(error.where.removeprefix("column "))

    assert matches(condition, from_rows([{"id": "1"}])).shape == (1,)
    assert 1 <= column <= len(text) + 1


ROWS = from_rows(
    [
        {"id": "1", "text": "Red  shoe", "tags": {"price": 5, "lang": "en", "size": [1, [2, 3]]}},
        {"id": "2", "price": 20, "tags": {"price": 3, "lang": "fr", "text": "x"}},
        {"id": "3", "tags": {"lang": None, "cost": 5, "price": 5}, "chunks": [
            {"id": "c", "tags": {"lang": "en"}}
        ]},
        {"id": "4"},
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("price < 10", "13"),
        ({"price": {"$lt": 10}}, "13"),
        ("price = 20", "2"),  # the field comes before the key
        ("tags.price = 3", "2"),
        ("text = 'x'", ""),  # a field that all know is never a key
        ("lang = 'en'", "1"),
        ("lang != 'en'", "234"),
        ("not lang = 'en'", "234"),
        ("tags.lang != 'en'", "234"),
        ({"tags__lang": {"$neq": "en"}}, "23"),
        ("lang is null", "34"),
        ("tags.lang is null", "34"),
        ({"tags__lang": {"$eq": None}}, "3"),
        ("lang exists", "12"),
        ("tags.lang exists", "123"),
        ("price = {cost}", "34"),  # null equals null
        ("size.1.0 = 2", "1"),
        ("chunks.0.lang = 'en'", "3"),
        ("text like 'red%'", "1"),
        ("text like 'RED _shoe'", "1"),
        ("text like '%e%e'", "1"),
        ("text like '%shoe%shoe%'", ""),
        ("text like 'e%'", ""),
        ("text like '%sho'", ""),
        ("text like '%'", "1"),
        ("text like 'r\\ed% shoe'", "1"),
        ("text not like '%\\_%'", "1234"),
        ("lang like 'e_'", "1"),
        ({"lang": {"$like": "%"}}, "12"),
        ("price between 4 and 20", "123"),
        ("price not between 4 and 20", "4"),
        ("price > 'a'", ""),
    ],
)
def test_a_condition_matches(query: Any, ids: str) -> None:
    assert "".join(ROWS.ids[place] for place in Query.of(query).matching(ROWS)) == ids


def _like(value: str, pattern: str) -> bool:
    """SQL's LIKE as its definition has it, in exponential time."""
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(_like(value[i:], pattern[1:]) for i in range(len(value) + 1))
    if not value:
        return False
    return pattern[0] in ("_", value[0]) and _like(value[1:], pattern[1:])


@given(st.text("ab", max_size=8), st.text("ab%_", max_size=6))
def test_like_is_what_sql_says(value: str, pattern: str) -> None:
    batch = from_rows([{"id": "1", "text": value}])

    found = matches(Compare(("text",), Op.LIKE, pattern), batch)

    assert found.tolist() == [_like(value, pattern)]
