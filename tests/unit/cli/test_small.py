"""Durations, pairs, colours, top-level help."""

from __future__ import annotations

import io

import pytest

from jina_cli.cli.duration import seconds_of
from jina_cli.cli.environment import read_env_file
from jina_cli.cli.pairs import field_map_of, parameters_of
from jina_cli.cli.render import uses_color
from jina_cli.cli.session import place_of
from jina_cli.cli.settings import When, global_parameters
from jina_cli.cli.top_help import top_help
from jina_cli.cli.tree import GLOBALS, VERBS
from jina_cli.errors import InputMissing, UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("200ms", 0.2), ("1h", 3600), (" 2 m ", 120)],
)
def test_a_time_has_a_unit_or_is_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text, "--timeout") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "-1", "1d", "inf", "1e3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--timeout is"):
        seconds_of(text, "--timeout")


def test_parameters_are_json_where_they_can_be() -> None:
    assert parameters_of(["a=1", 'b={"c": [true]}', "d=x=y", "e=", "f=null"]) == {
        "a": 1,
        "b": {"c": [True]},
        "d": "x=y",
        "e": "",
        "f": None,
    }


@pytest.mark.parametrize("text", ["a", "=1", ""])
def test_a_parameter_has_a_name(text: str) -> None:
    with pytest.raises(UsageError, match="not NAME=VALUE"):
        parameters_of([text])


def test_a_field_map_is_one_list_or_many() -> None:
    assert field_map_of(["a=text,b=id", "c=uri"]) == {"a": "text", "b": "id", "c": "uri"}


def test_a_field_is_mapped_to_something() -> None:
    with pytest.raises(UsageError, match="maps 'a' to nothing"):
        field_map_of(["a="])


@pytest.mark.parametrize(
    ("when", "environ", "terminal", "colors"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_is_used_where_it_is_wanted(
    when: When, environ: dict[str, str], terminal: bool, colors: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()

    assert uses_color(when, stream, environ) is colors


def test_top_level_help_lists_each_command_and_global_option_once() -> None:
    lines = top_help().splitlines()

    for verb in VERBS:
        assert sum(line.startswith(f"  {verb.name} ") for line in lines) == 1
    for option in GLOBALS:
        assert sum(option.long in line.partition("  ")[2][:24] for line in lines) == 1
    assert max(map(len, lines)) <= 80


def test_the_table_of_global_options_and_their_parameters_agree() -> None:
    assert [p.name for p in global_parameters(("x",))] == [option.name for option in GLOBALS]


def test_an_option_that_cannot_apply_to_a_running_flow_is_refused() -> None:
    with pytest.raises(UsageError, match="--workspace has no meaning with --host"):
        place_of("", "grpc://h:1", "dir")


def test_a_file_of_variables_names_its_bad_line(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "vars"
    path.write_text("A=1\nnot a variable\n")

    with pytest.raises(UsageError, match=r"vars:2: not NAME=value"):
        read_env_file(path)
    with pytest.raises(InputMissing, match="cannot read"):
        read_env_file(path.with_name("none"))
