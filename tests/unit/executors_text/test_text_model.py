"""What a text model says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina_cli.errors import InputMissing
from jina_cli.executors.encoders.onnx_session import BadModel
from jina_cli.executors.encoders.text_model import Pooling, files_of
from tests.testing.text_networks import text_model


def test_a_folder_that_says_nothing_has_its_defaults(tmp_path: Path) -> None:
    folder = text_model(tmp_path / "model")

    files = files_of(str(folder), what="a test")

    assert files.network == folder / "model.onnx"
    assert files.tokenizer == folder
    assert (files.max_length, files.pooling) == (512, Pooling.MEAN)
    assert (files.query_prefix, files.passage_prefix) == ("", "")


def test_prefixes_and_pooling_are_those_of_sentence_transformers(tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}}
    folder = text_model(
        tmp_path / "model",
        config_sentence_transformers=prompts,
        **{"1_Pooling__config": {"pooling_mode_cls_token": True}},
    )

    files = files_of(str(folder), what="a test")

    assert (files.query_prefix, files.passage_prefix) == ("query: ", "passage: ")
    assert files.pooling is Pooling.CLS


@pytest.mark.parametrize(
    ("settings", "length"),
    [
        ({"sentence_bert_config": {"max_seq_length": 128}, "config": {}}, 128),
        ({"tokenizer_config": {"model_max_length": 77}}, 77),
        ({"tokenizer_config": {"model_max_length": 1e30}}, 512),
        ({"config": {"max_position_embeddings": 514}}, 514),
        ({"config": {"text_config": {"max_position_embeddings": 77}}}, 77),
    ],
)
def test_the_length_is_what_the_first_file_says_that_says_one(
    tmp_path: Path, settings: dict[str, Any], length: int
) -> None:
    folder = text_model(tmp_path / "model", **settings)

    assert files_of(str(folder), what="a test").max_length == length


def test_a_network_may_be_named_itself(tmp_path: Path) -> None:
    folder = text_model(tmp_path / "model")
    (folder / "onnx").mkdir()
    file = folder / "onnx" / "model_quantized.onnx"
    (folder / "model.onnx").rename(file)

    assert files_of(str(file), what="a test").tokenizer == folder
    assert files_of(str(folder), what="a test").network == file


def test_of_several_networks_none_is_taken(tmp_path: Path) -> None:
    folder = text_model(tmp_path / "model")
    (folder / "model.onnx").rename(folder / "a.onnx")
    (folder / "b.onnx").write_bytes(b"")

    with pytest.raises(BadModel, match=r"several networks.*: a\.onnx, b\.onnx"):
        files_of(str(folder), what="a test")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"has no model\.onnx"):
        files_of(str(tmp_path), what="a test")
    with pytest.raises(InputMissing, match="'minilm6' of TextEncoder is not there"):
        files_of("minilm6", what="TextEncoder")
    with pytest.raises(InputMissing, match=r"no\.onnx of TextEncoder is not there"):
        files_of("no.onnx", what="TextEncoder")
