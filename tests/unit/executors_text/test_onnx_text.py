"""Texts to vectors by a network whose answers can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.executors.encoders.onnx_text import Options, TextModel
from tests.testing.text_networks import scaled_by_the_batch, text_model, text_tower

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

HALF = np.sqrt(0.5)


def loaded(folder: Path, **options: Any) -> TextModel:
    return TextModel.load(str(folder), options=Options(**options))


def test_the_mean_of_the_pieces_is_brought_to_length_one(tmp_path: Path) -> None:
    model = loaded(text_model(tmp_path / "model"))

    vectors = model.encode(["red green", "blue blue"])

    assert model.dim == 3
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(np.array([[HALF, HALF, 0], [0, 0, 1]]))


def test_special_pieces_count_in_the_mean(tmp_path: Path) -> None:
    model = loaded(text_model(tmp_path / "model"), normalize=False)

    # [CLS] red green [SEP]
    assert model.encode(["red green"])[0].tolist() == [0.25, 0.25, 0]


def test_the_first_piece_may_stand_for_the_text(tmp_path: Path) -> None:
    model = loaded(text_model(tmp_path / "model"), pooling="cls")

    # [CLS] is of no colour here: a vector of zeros has no length to be divided by.
    assert model.encode(["red"]).tolist() == [[0, 0, 0]]


def test_queries_and_passages_have_prefixes_of_their_own(tmp_path: Path) -> None:
    folder = text_model(tmp_path / "model")
    model = loaded(folder, query_prefix="red ", passage_prefix="blue ", normalize=False)

    assert model.encode_queries(["green"])[0].tolist() == [0.25, 0.25, 0]
    assert model.encode(["green"])[0].tolist() == [0, 0.25, 0.25]


def test_what_is_behind_the_longest_text_is_not_read(tmp_path: Path) -> None:
    model = loaded(text_model(tmp_path / "model"), max_length=3)

    assert model.encode(["red green green green"])[0].tolist() == [1, 0, 0]


def test_a_model_of_one_length_reads_no_more_than_that(tmp_path: Path) -> None:
    model = loaded(text_tower(tmp_path / "model", length=4))

    assert model.encode(["red", "red green blue"]) == pytest.approx(
        np.array([[1, 0, 0], [HALF, HALF, 0]])
    )


def test_a_model_that_is_quantised_while_it_runs_gives_each_text_what_it_gets_alone(
    tmp_path: Path,
) -> None:
    model = loaded(scaled_by_the_batch(tmp_path / "model"))
    texts = ["red", "red red", "green", "blue blue", "red"]

    together = model.encode(texts)

    assert np.array_equal(together, np.concatenate([model.encode([text]) for text in texts]))


def test_text_without_colours_and_no_text_at_all(tmp_path: Path) -> None:
    model = loaded(text_model(tmp_path / "model"))

    assert model.encode(["", "red"]).tolist() == [[0, 0, 0], [1, 0, 0]]
    assert model.encode([]).shape == (0, 3)
