"""Keywords as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.orchestrate.values import plain
from jina_cli.vocabulary import Polling, Protocol


@pytest.mark.parametrize(
    ("given", "data"),
    [
        (None, None),
        (True, True),
        (Path("/a/b"), "/a/b"),
        ((1, 2.5), [1, 2.5]),
        ({"b", "a"}, ["a", "b"]),
        ({"x": [Path("y")]}, {"x": ["y"]}),
        (Polling.ALL, "ALL"),
        (Protocol.HTTP, "http"),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
    ],
)
def test_a_value_becomes_what_yaml_could_have_said(given: Any, data: Any) -> None:
    assert plain(given, "key") == data


def test_what_cannot_reach_another_process_is_named_with_its_place() -> None:
    with pytest.raises(TypeError, match=r"^uses_with\['models'\]\[1\] is a object: only text"):
        plain({"models": ["a", object()]}, "uses_with")


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="env has the key 1, which is no text"):
        plain({1: "a"}, "env")
