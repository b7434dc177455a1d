"""Command lines that Jina's manifests and images have."""

from __future__ import annotations

import shlex

import pytest

from jina_cli.cli.app import prepare
from jina_cli.cli.command import build, load
from jina_cli.cli.jina_flags import ELSEWHERE, VERBS, as_ours, keys_of
from jina_cli.cli.tree import VERBS as COMMANDS
from jina_cli.cli.tree import verb_of
from jina_cli.errors import UsageError


def said(line: str, verb: str = "executor") -> list[str]:
    command = verb_of(verb)
    assert command is not None
    function = load(command)
    assert callable(function)
    return as_ours(verb, shlex.split(line), build((verb,), function, prepare).params)


LINES = {
    "--uses x.yml --name a": ["--uses", "x.yml", "--name", "a"],
    "--env A:1 B:2 --name a": ["--env", "A:1", "--env", "B:2", "--name", "a"],
    "--port 1 2": ["--port", "1", "--port", "2"],
    "--port=1": ["--port=1"],
    "--native --shards 2": ["--native", "--shards", "2"],
    "--timeout-ready -1": ["--timeout-ready", "-1"],
    "--env": ["--env"],
    "--strange 4": ["--strange", "4"],
    "-v": ["-v"],
}


@pytest.mark.parametrize("line", LINES)
def test_options_of_ours_stay_and_lists_of_words_are_spread(line: str) -> None:
    assert said(line) == LINES[line]


KEYS = {
    "--polling ALL": {"polling": "ALL"},
    """--polling '{"/search": "ALL"}'""": {"polling": {"/search": "ALL"}},
    "--retries -1 --no-reduce": {"retries": -1, "no_reduce": True},
    "--timeout-send=300": {"timeout_send": 300},
    "--exit-on-exceptions OSError": {"exit_on_exceptions": "OSError"},
    "--exit-on-exceptions OSError ValueError": {"exit_on_exceptions": ["OSError", "ValueError"]},
    "--port-monitoring 9090 9091 --monitoring": {
        "port_monitoring": [9090, 9091],
        "monitoring": True,
    },
    "--gpus all --volumes a b": {"gpus": "all", "volumes": ["a", "b"]},
    "--stateful": {"stateful": True},
    "--grpc-metadata a:b c:4": {"grpc_metadata": {"a": "b", "c": 4}},
}


@pytest.mark.parametrize("line", KEYS)
def test_a_key_of_the_yaml_is_an_option(line: str) -> None:
    found = said(line)

    assert found[::2] == ["--key"] * len(KEYS[line])
    assert keys_of(found[1::2]) == KEYS[line]


def test_a_gateway_knows_its_own_keys_first() -> None:
    assert said("--compression Gzip", "gateway") == ["--key", 'compression="Gzip"']


def test_json_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match=r"^--polling is no JSON: "):
        said("--polling '{/search: ALL}'")


def test_only_commands_that_are_there_take_such_options() -> None:
    known = {verb.name for verb in COMMANDS}

    assert set(VERBS) <= known
    assert not set(ELSEWHERE) & known
