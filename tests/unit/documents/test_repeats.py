"""Regular expressions that may take for ever."""

from __future__ import annotations

import pytest

from jina_cli.documents.condition import BadQuery, condition_of
from jina_cli.documents.repeats import may_explode


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"(?:a*)*", r"(a|aa)+", r"((ab)*c)*", r"(?P<x>a{2,})+", r"(.*)*", r"([ab]+)*\1"],
)
def test_a_repeated_group_with_several_ways_may_explode(pattern: str) -> None:
    assert may_explode(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"^a.*b$", r"(ab)+", r"a+b+", r"(a|b)", r"(?i)foo|bar", r"(a+)?", r"(a+){2}"),
        *(r"\(a+\)+", r"[(a+)]+", r"([^a|]x)*", r"[]a+)]+", r"(\|x)+", r"a|b+", ""),
    ],
)
def test_other_expressions_are_taken(pattern: str) -> None:
    assert not may_explode(pattern)


def test_a_condition_says_why_an_expression_is_refused() -> None:
    with pytest.raises(BadQuery, match=r"'\(a\+\)\+\$' repeats a group .*may take for ever"):
        condition_of("text ~ '(a+)+$'")
