"""Word pieces: the vocabulary that travels with the product, and those of models on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina_cli.errors import InputMissing
from jina_cli.executors.encoders.onnx_session import BadModel
from jina_cli.executors.encoders.tokens import bundled_tokenizer, read_json, tokenizer_in
from tests.testing.text_networks import WORDS, text_model

pytest.importorskip("tokenizers")


def test_the_bundled_vocabulary_has_the_numbers_of_bert() -> None:
    tokenizer = bundled_tokenizer(max_length=16, what="a test")

    # As BERT base uncased has them: [CLS] hello world [SEP].
    assert tokenizer.texts(["Hello, WORLD"])[0].ids == [101, 7592, 1010, 2088, 102]
    assert tokenizer.texts(["café"])[0].ids == tokenizer.texts(["cafe"])[0].ids


def test_a_pair_says_which_pieces_are_of_its_second_text() -> None:
    tokenizer = bundled_tokenizer(max_length=16, what="a test")

    (tokens,) = tokenizer.pairs([("hello", "world")])

    assert tokens.ids == [101, 7592, 102, 2088, 102]
    assert tokens.types == [0, 0, 0, 1, 1]


def test_texts_are_cut_and_never_padded() -> None:
    tokenizer = bundled_tokenizer(max_length=6, what="a test")

    assert [len(one) for one in tokenizer.texts(["word " * 50, "word", ""])] == [6, 3, 2]
    tokenizer.cut(4)
    assert [len(one) for one in tokenizer.texts(["word " * 50])] == [4]


def test_a_model_brings_a_vocabulary_of_its_own(tmp_path: Path) -> None:
    folder = text_model(tmp_path / "model")

    tokenizer = tokenizer_in(folder, max_length=16, what="a test")

    pieces = [WORDS[number] for number in tokenizer.texts(["Red purple"])[0].ids]
    assert pieces == ["[CLS]", "red", "[UNK]", "[SEP]"]


def test_a_vocabulary_may_mind_capitals(tmp_path: Path) -> None:
    folder = text_model(tmp_path / "model", tokenizer_config={"do_lower_case": False})

    tokenizer = tokenizer_in(folder, max_length=16, what="a test")

    assert WORDS[tokenizer.texts(["Red"])[0].ids[1]] == "[UNK]"


def test_a_vocabulary_may_hold_what_ends_lines_elsewhere(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u2028", "\x85", "red"]
    (tmp_path / "vocab.txt").write_text("\n".join([*words, ""]), "utf-8")

    tokenizer = tokenizer_in(tmp_path, max_length=16, what="a test")

    assert tokenizer.texts(["red"])[0].ids == [2, 7, 3]


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"has no tokenizer\.json and no vocab\.txt"):
        tokenizer_in(tmp_path, max_length=16, what="a test")


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", "utf-8")

    with pytest.raises(BadModel, match=r"tokenizer\.json is no tokenizer"):
        tokenizer_in(tmp_path, max_length=16, what="a test")


def test_a_vocabulary_that_is_not_of_bert_is_named(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("red\ngreen\n", "utf-8")

    with pytest.raises(BadModel, match=r"it has no \[PAD\]"):
        tokenizer_in(tmp_path, max_length=16, what="a test")


@pytest.mark.parametrize("text", ["{", "[]"])
def test_settings_that_are_none_are_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text, "utf-8")

    with pytest.raises(BadModel, match=r"config\.json"):
        read_json(file)
