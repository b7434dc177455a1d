"""Questions that FTS5 must not misread."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.store.records import Records
from jina_cli.store.store import Store

TEXTS = {
    "boat": "A slow boat to China",
    "cafe": "le café d'à côté",
    "code": "x = foo_bar(baz) AND NOT qux",
    "fox": "The quick brown foxes jumped",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("texts")) as store:
        store.upsert(Records(ids=list(TEXTS), bodies=[b""] * 4, texts=list(TEXTS.values())))
        yield store


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("boats", ["boat"]),
        ("JUMPING fox", ["fox"]),
        ("cafe", ["cafe"]),
        ("cafe\u0301", ["cafe"]),
        ("CÔTÉ", ["cafe"]),
        ("foo-bar", ["code"]),
        ('"boat', ["boat"]),
        ("boat OR", ["boat"]),
        ("text:boat", ["boat"]),
        ("NEAR(boat china)", ["boat"]),
        ("boat*", ["boat"]),
        ("^boat", ["boat"]),
        ("bo*", []),
        ("-boat", ["boat"]),
        ("qux; DROP TABLE documents", ["code"]),
        ("'", []),
        ("", []),
        ("   \n\t", []),
        ("\0boat\0", ["boat"]),
        ("🚤", []),
        ("\u0301", []),
    ],
)
def test_a_question_finds(store: Store, question: str, found: list[str]) -> None:
    assert store.search_text([question], 10).ids == [found]


@settings(max_examples=200, deadline=None)
@given(question=st.text(max_size=40))
def test_no_question_is_an_error(store: Store, question: str) -> None:
    assert len(store.search_text([question], 3).ids) == 1


def test_a_very_long_question_is_answered(store: Store) -> None:
    question = " ".join(["boat"] + [f"w{i}" for i in range(50_000)])

    assert store.search_text([question], 3).ids == [["boat"]]


def test_equal_scores_are_ordered_by_id_whatever_came_first(tmp_path: Path) -> None:
    ids = [f"d{i}" for i in range(50)]
    with Store.open(tmp_path) as store:
        store.upsert(Records(ids=ids[::-1], bodies=[b""] * 50, texts=["the same words"] * 50))

        found = store.search_text(["words"], 3)

    assert found.ids == [sorted(ids)[:3]]


def test_more_of_the_words_score_higher(store: Store) -> None:
    found = store.search_text(["slow quick brown"], 10)

    assert found.ids == [["fox", "boat"]]
    assert found.scores[0][0] > found.scores[0][1] > 0


def test_in_a_small_collection_the_rarer_word_counts_more(tmp_path: Path) -> None:
    texts = {"a": "red boat", "b": "red car", "c": "red car"}
    with Store.open(tmp_path) as store:
        store.upsert(Records(ids=list(texts), bodies=[b""] * 3, texts=list(texts.values())))

        found = store.search_text(["red car boat", "red"], 3)

    assert found.ids == [["a", "b", "c"], ["a", "b", "c"]]
    # By hand: all texts are of average length, so a word that is there once counts its weight,
    # ln(1 + (3 - n + 0.5) / (n + 0.5)): red 0.13353, car 0.47000, boat 0.98083.
    assert found.scores[0].tolist() == pytest.approx([1.11436, 0.60353, 0.60353], abs=1e-5)
    assert found.scores[1].tolist() == pytest.approx([0.13353] * 3, abs=1e-5)


def test_words_of_most_texts_matter_where_the_others_find_too_little(tmp_path: Path) -> None:
    ids = [f"d{i:04}" for i in range(1100)]
    texts = ["the " + ("boat" if i % 400 == 0 else "car") for i in range(1100)]
    with Store.open(tmp_path) as store:
        store.upsert(Records(ids=ids, bodies=[b""] * 1100, texts=texts))

        found = store.search_text(["the boat"] * 2, 3)
        more = store.search_text(["the boat"], 5)

    assert found.ids == [["d0000", "d0400", "d0800"]] * 2
    assert more.ids == [["d0000", "d0400", "d0800", "d0001", "d0002"]]
