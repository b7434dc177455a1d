"""Texts of the command line as the values that annotations ask for."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer

from jina_cli.cli.command import build
from jina_cli.errors import UsageError


class Shade(enum.Enum):
    LIGHT = "light"
    DARK = "dark"


def _value(kind: Any, *words: str, default: Any = None, info: Any = None) -> Any:
    seen: list[Any] = []

    def probe(value: Any = default) -> None:
        """Remember."""
        seen.append(value)

    probe.__annotations__ = {"value": Annotated[kind, info or typer.Option("--value")]}
    command = build(("probe",), probe, lambda settings: None)
    command.main(args=list(words), prog_name="probe", standalone_mode=False)
    return seen[0]


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        (str, ["--value", "a"], "a"),
        (str | None, [], None),
        (int, ["--value", "-3"], -3),
        (float, ["--value=2.5"], 2.5),
        (Path, ["--value", "a/b"], Path("a/b")),
        (Literal["a", "b"], ["--value", "b"], "b"),
        (Shade, ["--value", "dark"], Shade.DARK),
        (list[int] | None, ["--value", "1", "--value", "2"], [1, 2]),
        (list[str] | None, [], None),
        (bool, ["--value"], True),
        (bool, [], None),
    ],
)
def test_a_value_has_the_type_of_its_annotation(kind: Any, words: list[str], value: Any) -> None:
    assert _value(kind, *words) == value


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (int, "x", "--value is 'x', not a whole number"),
        (float, "x", "--value is 'x', not a number"),
        (Shade, "drak", "--value is 'drak', not one of light, dark; did you mean 'dark'?"),
    ],
)
def test_a_text_of_another_type_is_refused(kind: Any, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        _value(kind, "--value", text)

    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [("0", "--value is '0', less than 1"), ("9.5", "--value is '9.5', more than 9")],
)
def test_a_number_keeps_its_bounds(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        _value(float, "--value", text, info=typer.Option("--value", min=1, max=9))

    assert caught.value.message == message


@pytest.mark.parametrize(("text", "value"), [("1", True), ("no", False), ("On", True)])
def test_a_switch_has_words_in_the_environment(
    text: str, value: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINA_PROBE_VALUE", text)

    assert _value(bool, default=False) is value
