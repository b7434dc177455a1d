"""The ready-made Flows, each used as the comment on top of it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.testing.processes import Jinas

pytestmark = pytest.mark.skipif(
    find_spec("onnxruntime") is None, reason="the extra 'neural' is not installed"
)

ITEMS = [
    {"id": "tent", "text": "a mountain tent for two"},
    {"id": "bag", "text": "a warm sleeping bag"},
    {"id": "dress", "text": "a silk evening dress"},
    {"id": "stove", "text": "a camping stove"},
]


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def found(text: str) -> list[list[str]]:
    return [[m["id"] for m in json.loads(line)["matches"]] for line in text.splitlines()]


def test_text_is_found_by_meaning_with_the_passage_that_says_it(jina: Jinas) -> None:
    long = " ".join(f"Line {n} of the list is about nothing much at all." for n in range(60))
    rows = [*ITEMS, {"id": "long", "title": "Notes", "text": f"{long} Whales are huge mammals."}]

    indexed = jina.run("index", "-", "--workspace", "w", "--json", stdin=lines(rows))
    asked = ("search", "giant animals of the sea", "--workspace", "w", "-k", "1")
    said = json.loads(jina.run(*asked, "--explain", "--json").stdout)
    table = jina.run(*asked)

    assert json.loads(indexed.stdout)["documents"] == len(rows)
    [match] = said["matches"]
    assert match["id"] == "long"
    place = match["explain"]["vector"]
    assert (place["rank"], place["chunk"]["id"]) == (1, match["chunks"][0]["id"])
    assert "Whales are huge mammals." in match["chunks"][0]["text"]
    assert "Whales" in table.stdout


def test_texts_that_did_not_change_are_not_encoded_again(jina: Jinas) -> None:
    jina.run("index", "-", "--workspace", "w", stdin=lines(ITEMS))
    changed = [{**ITEMS[0], "text": "a violin with four strings"}, *ITEMS[1:]]

    again = jina.run("index", "-", "--workspace", "w", "--json", stdin=lines(changed))
    asked = jina.run("search", "musical instrument", "--workspace", "w", "-k", "1", "--json")

    said = json.loads(again.stdout)
    assert (said["documents"], said["chunks"], said["unchanged"]) == (len(ITEMS), 1, 3)
    assert jina.run("count", "--workspace", "w").stdout == "4\n"
    assert found(asked.stdout) == [["tent"]]


def test_what_was_indexed_by_words_is_searched_by_words_and_then_by_meaning(jina: Jinas) -> None:
    place = ("--workspace", "w")
    jina.run("index", "-", *place, "--uses", "lexical", stdin=lines(ITEMS))

    by_words = jina.run("search", "tents", *place, "--json", "-k", "1")
    jina.run("index", "-", *place, stdin=lines(ITEMS))
    by_meaning = jina.run("search", "something to cook on", *place, "--json", "-k", "1")

    assert found(by_words.stdout) == [["tent"]]
    assert found(by_meaning.stdout) == [["stove"]]


def test_a_vector_is_a_query_of_the_text_flow(jina: Jinas) -> None:
    jina.run("index", "-", "--workspace", "w", stdin=lines(ITEMS))
    [row] = json.loads(f"[{jina.run('get', 'bag', '--workspace', 'w', '--vectors').stdout}]")
    query = {"id": "q", "embedding": row["chunks"][0]["embedding"]}

    asked = jina.run("search", "-", "--workspace", "w", "-k", "1", "--json", stdin=lines([query]))

    assert (asked.code, asked.stderr) == (0, "")
    assert found(asked.stdout) == [["bag"]]


def test_questions_are_answered_however_they_are_asked(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text(
        "question,answer\n"
        "How do I return an item?,Send it back within 30 days for a refund.\n"
        'When do you open?,"Monday to Friday, nine to five."\n',
        "utf-8",
    )
    place = ("--uses", "question-answer", "--workspace", "w")

    assert jina.run("index", "faq.csv", *place).code == 0
    asked = jina.run("search", "at what time can I come to your shop", *place, "--json", "-k", "1")

    [match] = json.loads(asked.stdout)["matches"]
    assert match["text"] == "Monday to Friday, nine to five."
    assert match["tags"] == {"title": "When do you open?"}


def test_texts_that_say_nearly_the_same_are_found_and_no_others(jina: Jinas) -> None:
    place = ("--uses", "deduplication", "--workspace", "w")
    jina.run("index", "-", *place, stdin=lines(ITEMS))

    asked = jina.run(
        *("search", "-", *place, "--json"),
        stdin=lines([{"id": "1", "text": "mountain tent for two"}, {"id": "2", "text": "a tent"}]),
    )

    assert found(asked.stdout) == [["tent"], []]


def test_items_are_recommended_by_what_is_liked(jina: Jinas) -> None:
    place = ("--uses", "recommendation", "--workspace", "w")
    jina.run("index", "-", *place, stdin=lines(ITEMS))

    users = [{"id": "ann", "likes": ["tent"]}, {"id": "bob", "likes": ["bag"], "text": "clothes"}]
    asked = jina.run("search", "-", *place, "--json", "-k", "3", stdin=lines(users))

    anns, bobs = found(asked.stdout)
    assert anns[-1] == "dress"
    assert bobs[0] == "dress"
    assert "tent" not in anns
    assert "bag" not in bobs
