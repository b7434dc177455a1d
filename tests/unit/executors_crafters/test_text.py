"""Text in one form."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import TextColumn, ValuesColumn
from jina_cli.drivers.base import Done
from jina_cli.executors.crafters.text import TextNormalizer

PAGE = (
    "<head><title>x</title></head><p>Fish &amp; chips<br>are <b>good</b></p>"
    "<script>if (a<b) no()</script><ul><li>one<li>two</ul> 1 &lt; 2"
)


@pytest.mark.parametrize(
    ("options", "text", "made"),
    [
        ({}, " ﬁne\u00a0  ｔｅｘｔ\n²\u200b ", "fine text 2"),
        ({"form": "none"}, "ﬁne", "ﬁne"),
        ({"form": "NFC"}, "e\u0301ﬁ", "éﬁ"),
        ({"case": "lower"}, "Straße", "straße"),
        ({"case": "fold"}, "Straße", "strasse"),
        ({"whitespace": "lines"}, " a \t b \r\n\n\n\n c\n", "a b\n\nc"),
        ({"whitespace": "keep"}, " a  b\n", " a  b\n"),
        ({"html": True}, PAGE, "Fish & chips are good one two 1 < 2"),
        ({"html": True, "whitespace": "lines"}, "<p>a</p><p>b", "a\n\nb"),
        ({"html": True}, "<html><head><title>t</title><body>seen</body></html>", "seen"),
        ({"html": True}, "a <b and <i>c</i> <!-- <d --> 1<2", "a <b and c 1<2"),
        ({"html": True, "whitespace": "keep"}, "<a " * 100_000, "<a " * 100_000),
        ({"html": False}, "a < b", "a < b"),
        ({"accents": False}, "Čeština é नि", "Cestina e नि"),
        ({}, "so\u00adft\x00\x1b[31m", "soft[31m"),
    ],
)
def test_text_is_brought_into_a_form(options: dict[str, Any], text: str, made: str) -> None:
    assert TextNormalizer(**options).craft([text]) == [made]


@given(st.text(max_size=60))
def test_what_is_in_form_stays_as_it_is(text: str) -> None:
    once = TextNormalizer(case="fold").craft([text])

    assert TextNormalizer(case="fold").craft(once) == once


def crafted(crafter: TextNormalizer, docs: DocumentBatch) -> DocumentBatch:
    async def run() -> Done:
        (driver,) = crafter.default_drivers()["/search"]
        return await driver(crafter, docs, {})

    return asyncio.run(run()).docs


def test_documents_without_text_pass() -> None:
    docs = DocumentBatch(["a", "b"], {"text": TextColumn([None, " b "])})

    assert crafted(TextNormalizer(), docs).values("text") == [None, "b"]


def test_it_may_go_to_another_field() -> None:
    docs = DocumentBatch(["a"], {"text": TextColumn([" A "])})

    made = crafted(TextNormalizer(case="lower", into="plain"), docs)

    assert (made.values("text"), made.values("plain")) == ([" A "], ["a"])


def test_what_is_no_text_is_refused() -> None:
    docs = DocumentBatch(["a"], {"text": ValuesColumn([1])})

    with pytest.raises(BadField, match="TextNormalizer takes text, and got int"):
        crafted(TextNormalizer(), docs)
