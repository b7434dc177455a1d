"""Where sentences end, in many languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.executors.segmenters.lengths import fitted
from jina_cli.executors.segmenters.sentences import sentences_of

SENTENCES = [
    # English: names, titles, initials, acronyms
    "My name is Jonas E. Smith.|Please turn to p. 55.|Were Jane and co. at the party?",
    "They closed the deal with Pitt & Co. at noon.|Let's ask Jane and Co.|They should know.",
    "I can see Mt. Fuji from here.|St. Michael's is on 5th st. near the light.",
    "I visited the U.S.A. last year.|I live in the E.U.|How about you?",
    "I work for the U.S. Government in Virginia.",
    "At 5 a.m. Mr. Smith went to the bank.|We make a good team, you and I.|Did you see I. Jones?",
    "J. R. R. Tolkien wrote it.|He had vitamin C.|The end.",
    "See Figs. 3 and 4, vol. 2, no. 7.|It was no.|Then it was yes, e.g. here.",
    # numbers
    "She has $100.00 and 3.14 of it.|In 1999.|Then she had 1,000.5 more.",
    "1. Take an egg.|2. Break it.",
    # quotes and brackets
    '"What?" he asked.|He said "Go."|Then he left.',
    'She turned: "This is great." she said.|(See below.)|The end.',
    "Yahoo! is a company.|Wait... what?|Wait...|What!?|Yes.",
    # no capitals at all, and a space before the stop
    "the flow over a wing .|it was found i.e. measured that no. 3 is best .|see fig. 2 .|done",
    # German, French, Spanish, Greek, Russian
    "Am 3. Oktober ist z.B. Feiertag.|Dr. Müller kommt u.a. nach Berlin.|Er ist da.",
    "M. Dupont est là.|«\u00a0Ça va\u00a0?\u00a0» demanda-t-il.|Oui !|Bien.",
    "¿Qué pasa?|¡Nada!|El Sr. Pérez vive en EE.UU. con su hija.",
    "Τι κάνεις\u037e|Καλά.",
    "Это т.е. дом.|Он стоит.",
    # scripts with signs of their own
    "他来了。|真的吗？|是的！|我……不知道。",
    "今日は「行く。」と言った。|明日も来る。|３．５を引く。",
    "هل تسمعني؟|نعم أسمعك.|شكرا",
    "यह पहला वाक्य है।|यह दूसरा है॥|तीसरा",
    "ሰላም።|እንዴት ነህ፧",
]


@pytest.mark.parametrize("marked", SENTENCES)
def test_a_sentence_ends_where_a_reader_would_say(marked: str) -> None:
    sentences = marked.split("|")
    text = ("" if "。" in marked else " ").join(sentences)

    assert [text[start:end] for start, end in sentences_of(text)] == sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A heading\n\nThe text\nof it", ["A heading", "The text\nof it"]),
        ("We need:\n- eggs\n- milk", ["We need:", "- eggs", "- milk"]),
        ("a line\r\n\r\nanother", ["a line", "another"]),
    ],
)
def test_a_blank_line_or_a_bullet_ends_a_sentence(text: str, parts: list[str]) -> None:
    assert [text[start:end] for start, end in sentences_of(text)] == parts


def test_an_abbreviation_of_ones_own_ends_no_sentence() -> None:
    text = "The Abt. Vertrieb. Done."

    found = sentences_of(text, abbreviations=frozenset({"abt"}))

    assert [text[start:end] for start, end in found] == ["The Abt. Vertrieb.", "Done."]


TEXTS = st.text(st.sampled_from("aB1 .!?。…\n\"'()-।,\u0301Dr"), max_size=60)


@given(text=TEXTS, least=st.integers(0, 10), most=st.sampled_from([0, 10, 25]))
def test_nothing_is_lost_and_nothing_is_said_twice(text: str, least: int, most: int) -> None:
    for spans in (sentences_of(text), fitted(text, sentences_of(text), least=least, most=most)):
        ends = [0, *(place for span in spans for place in span), len(text)]
        gaps = [text[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True)]

        assert ends == sorted(ends)
        assert all(not gap.strip() for gap in gaps)
        assert all(text[a:b] and text[a:b] == text[a:b].strip() for a, b in spans)


@given(text=TEXTS, most=st.sampled_from([3, 10, 25]))
def test_no_piece_is_longer_than_it_may_be(text: str, most: int) -> None:
    spans = fitted(text, sentences_of(text), least=2, most=most)

    assert all(end - start <= most for start, end in spans)


@pytest.mark.parametrize(
    ("text", "least", "most", "parts"),
    [
        ("Hi. You. There we go then.", 6, 0, ["Hi. You.", "There we go then."]),
        ("There we go then. Hi.", 6, 0, ["There we go then. Hi."]),
        ("Hi. There we go then.", 6, 12, ["Hi.", "There we go", "then."]),
        ("one two, three four five", 0, 12, ["one two,", "three four", "five"]),
        ("abcdefghij", 0, 4, ["abcd", "efgh", "ij"]),
    ],
)
def test_short_ones_are_put_together_and_long_ones_cut(
    text: str, least: int, most: int, parts: list[str]
) -> None:
    found = fitted(text, sentences_of(text), least=least, most=most)

    assert [text[start:end] for start, end in found] == parts
