"""Search results as people and programs want them."""

from __future__ import annotations

import io
import json
import math
from textwrap import dedent
from typing import Any

import pytest

from jina_cli.cli.render import Output
from jina_cli.cli.results import Format, clipped, excerpt_of, one_line, pattern_of, writer_for
from jina_cli.cli.settings import Settings
from jina_cli.client.searching import Found

BOATS = Found(
    query={"id": "1", "text": "slow boats"},
    matches=[
        {"id": "a", "score": 2.5, "text": "a slow boat to China", "uri": "songs/china.txt"},
        {"id": "b b", "score": 0.25, "text": "boating", "tags": {"title": "On the river"}},
    ],
)
NOTHING = Found(query={"id": "2", "text": "x"}, matches=[])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _written(format_: Format, *results: Found, out: io.StringIO | None = None, **more: Any) -> str:
    stream = out or io.StringIO()
    writer = writer_for(format_, Output(Settings(**more), out=stream))
    for found in results:
        writer.write(found)
    writer.end()
    return stream.getvalue()


def test_a_table_shows_rank_score_title_and_the_words_around_the_hit() -> None:
    assert _written("table", BOATS, NOTHING) == dedent("""\
        slow boats  2 matches
          1        2.5  songs/china.txt
                        a slow boat to China
          2       0.25  On the river
                        boating

        x  0 matches
        """)


def test_a_table_on_a_terminal_marks_other_forms_of_the_words_too() -> None:
    text = _written("table", BOATS, out=Terminal(), color="always")

    assert "\x1b[1;33mslow\x1b[0m \x1b[1;33mboat\x1b[0m to China" in text
    assert "\x1b[1;33mboating\x1b[0m" in text


def test_nothing_in_a_document_is_obeyed_by_the_terminal() -> None:
    found = Found(query={"id": "1"}, matches=[{"id": "\x1b]0;x\x07", "text": "a\x1b[2Jb\nc"}])

    text = _written("table", found)

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "a [2Jb c" in text


def test_trec_has_one_line_a_match_of_six_words() -> None:
    assert _written("trec", BOATS, NOTHING) == "1 Q0 a 1 2.5 jina\n1 Q0 b_b 2 0.25 jina\n"


def test_json_lines_have_one_object_a_query() -> None:
    first, second = map(json.loads, _written("jsonl", BOATS, NOTHING).splitlines())

    assert first == {
        "schema": "jina.search/1",
        "query": {"id": "1", "text": "slow boats"},
        "matches": list(BOATS.matches),
    }
    assert second["matches"] == []


@pytest.mark.parametrize("results", [[], [BOATS], [BOATS, NOTHING]])
def test_json_is_one_array(results: list[Found]) -> None:
    assert [r["query"]["id"] for r in json.loads(_written("json", *results))] == [
        found.id for found in results
    ]


def test_a_score_that_is_not_finite_is_null() -> None:
    found = Found(query={"id": "1"}, matches=[{"id": "a", "score": math.inf}])

    assert json.loads(_written("jsonl", found))["matches"][0]["score"] is None


def test_an_excerpt_begins_before_a_late_hit() -> None:
    text = "word " * 100 + "needle in a haystack " + "word " * 100

    excerpt = excerpt_of(text, pattern_of("needles"), 60)

    assert excerpt.startswith("… word ")
    assert "needle in a haystack" in excerpt
    assert len(excerpt) <= 60


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 6, "日本語"), ("日本語", 4, "日…")],
)
def test_wide_characters_take_two_columns(text: str, width: int, cut: str) -> None:
    assert clipped(text, width) == cut


def test_a_text_is_shown_on_one_line() -> None:
    assert one_line(" a\n\tb\u2028c ") == "a b c"


def test_a_query_without_words_marks_nothing() -> None:
    assert pattern_of("? ! a") is None
