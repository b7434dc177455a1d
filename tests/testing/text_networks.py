"""Folders of small text models, whose answers can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.testing.onnx_bytes import FLOAT, INT64, Node, Value, network

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "green", "blue", "query", ":")
"""The vocabulary. A word piece's vector is its own axis; of special ones there is none."""

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}

_IDS = ("input_ids", "attention_mask", "token_type_ids")


def text_model(folder: Path, **settings: Any) -> Path:
    """Write a model of vectors of word pieces, `(batch, sequence, 3)`, and return its folder.

    Args:
        folder: Where; made.
        settings: Further files: name (with `__` for `/`) → what they say.
    """
    nodes = [Node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    out = Value("last_hidden_state", FLOAT, ["batch", "sequence", 3])
    return _write(folder, network(nodes, _inputs(), [out], {"table": _table()}), settings)


def scaled_by_the_batch(folder: Path) -> Path:
    """Write a model whose vectors depend on all texts of a run, as if quantised in it."""
    nodes = [
        Node("Gather", ["table", "input_ids"], ["rows"]),
        Node("ReduceMax", ["rows"], ["most"], {"keepdims": 0}),
        Node("ReduceSum", ["rows"], ["all"], {"keepdims": 0}),
        Node("Add", ["most", "all"], ["scale"]),
        Node("Add", ["rows", "scale"], ["last_hidden_state"]),
    ]
    out = Value("last_hidden_state", FLOAT, ["batch", "sequence", 3])
    return _write(folder, network(nodes, _inputs(), [out], {"table": _table()}), {})


def text_tower(folder: Path, *, length: int) -> Path:
    """Write a model of one vector a text that takes a fixed number of word pieces, as CLIP's."""
    nodes = [
        Node("Gather", ["table", "input_ids"], ["rows"]),
        Node("ReduceMean", ["rows"], ["text_embeds"], {"axes": [1], "keepdims": 0}),
    ]
    takes = [Value("input_ids", INT64, ["batch", length])]
    gives = [Value("text_embeds", FLOAT, ["batch", 3])]
    return _write(folder, network(nodes, takes, gives, {"table": _table()}), {})


def cross_encoder(folder: Path, *, outputs: int = 1) -> Path:
    """Write a cross-encoder: the share of `red` less that of `blue` among all word pieces."""
    values = np.zeros((len(WORDS), outputs), np.float32)
    values[WORDS.index("red"), -1], values[WORDS.index("blue"), -1] = 1, -1
    nodes = [
        Node("Gather", ["table", "input_ids"], ["rows"]),
        Node("ReduceMean", ["rows"], ["logits"], {"axes": [1], "keepdims": 0}),
    ]
    gives = [Value("logits", FLOAT, ["batch", outputs])]
    return _write(folder, network(nodes, _inputs(), gives, {"table": values}), {})


def _table() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([COLOURS.get(word, (0, 0, 0)) for word in WORDS], np.float32)


def _inputs() -> Sequence[Value]:
    return [Value(name, INT64, ["batch", "sequence"]) for name in _IDS]


def _write(folder: Path, model: bytes, settings: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    for name, said in settings.items():
        file = folder / f"{name.replace('__', '/')}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(said), "utf-8")
    return folder
