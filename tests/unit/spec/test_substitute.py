"""Variables in a file."""

from __future__ import annotations

from typing import Any

import pytest

from jina_cli.spec import substitute as module
from jina_cli.spec.nodes import MapNode, ScalarNode, to_data
from jina_cli.spec.source import parse
from jina_cli.spec.substitute import retyped, substitute

ENV = {"PORT": "8080", "NAME": "index", "LIST": "[1, a, true]", "EMPTY": "", "QUOTED": "'007'"}
CONTEXT = {"dim": 64, "models": [{"name": "small"}], "text": "$NAME: [a]"}


def value_of(text: str) -> Any:
    node, problems = parse(f"other: {{x: 5, list: [a, b]}}\nvalue: {text}\n", "a.yml")
    assert node is not None
    assert not problems
    made, problems = substitute(node, env=ENV, context=CONTEXT)
    assert [problem.code for problem in problems] == []
    return to_data(made)["value"]


def problem_of(text: str) -> tuple[str, str]:
    node, _ = parse(f"other: {{x: 5, list: [a, b]}}\nvalue: {text}\n", "a.yml")
    assert node is not None
    _, problems = substitute(node, env=ENV, context=CONTEXT)
    [problem] = problems
    return problem.code, problem.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$PORT", 8080),
        ("${PORT}", 8080),
        ("${{ ENV.PORT }}", 8080),
        ("${{env.PORT}}", 8080),
        ("${{ PORT }}", 8080),
        ("'$PORT'", 8080),
        ("host:$PORT", "host:8080"),
        ("${NAME}_$PORT", "index_8080"),
        ("${{ CONTEXT.dim }}", 64),
        ("${{ context.models[0].name }}", "small"),
        ("${{ dim }}", 64),
        ("${{ CONTEXT.models }}", [{"name": "small"}]),
        ("${{ root.other.x }}", 5),
        ("${{root.other.list[1]}}", "b"),
        ("${{ this.other.x }}", 5),
        ("${{ ENV.LIST }}", [1, "a", True]),
        ("${{ ENV.EMPTY }}", None),
        ("x${{ ENV.EMPTY }}", "x"),
        ("${{ ENV.QUOTED }}", "007"),
        ("${{ env.MISSING | 5 }}", 5),
        ("${{ env.MISSING | }}", None),
        ("${{ env.PORT | 5 }}", 8080),
        ("${{ CONTEXT.missing | small }}", "small"),
        ("${{ root.missing | small }}", "small"),
        ("$$PORT", "$PORT"),
        ("costs $5", "costs $5"),
        ("^a$", "^a$"),
        ("${{ text }}", "$NAME: [a]"),
    ],
)
def test_a_variable_becomes_its_value(text: str, value: Any) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("$MISSING", "JNA301", "the variable 'MISSING' is not set"),
        ("a-${MISSING}", "JNA301", "the variable 'MISSING' is not set"),
        ("${{ ENV.MISSING }}", "JNA301", "the variable 'MISSING' is not set"),
        ("${{ missing }}", "JNA302", "no value 'missing' was given"),
        ("${{ CONTEXT.models[3] }}", "JNA302", "no value 'models[3]' was given"),
        ("${{ root.nowhere }}", "JNA303", "'root.nowhere' leads to nothing"),
        ("${{ root.other }}", "JNA303", "'root.other' is no single value"),
        ("a ${{ CONTEXT.models }}", "JNA304", "a list or mapping cannot be part of a text"),
        ("${{ 1 + 1 }}", "JNA304", "'${{ 1 + 1 }}' cannot be understood"),
        ("${1}", "JNA304", "'${1}' is no variable"),
        ("${{ this.value }}", "JNA305", "this value is made of itself"),
    ],
)
def test_what_stands_for_nothing_is_told(text: str, code: str, message: str) -> None:
    assert problem_of(text) == (code, message)


def test_a_misspelt_variable_is_recognised() -> None:
    node, _ = parse("a: $PROT\n", "a.yml")
    assert node is not None

    _, [problem] = substitute(node, env={"PORT": "1"})

    assert problem.hint == "did you mean 'PORT', which is set?"


def test_what_cannot_be_known_is_marked_and_the_rest_goes_on() -> None:
    node, _ = parse("a: $MISSING\nb: $PORT\n", "a.yml")
    assert node is not None

    made, problems = substitute(node, env=ENV)

    assert isinstance(made, MapNode)
    unknown = made.get("a")
    assert isinstance(unknown, ScalarNode)
    assert unknown.unknown
    assert to_data(made)["b"] == 8080
    assert len(problems) == 1


def test_references_may_follow_each_other() -> None:
    node, _ = parse("a: ${{ root.b }}!\nb: ${{ this.c }}?\nc: $NAME\n", "a.yml")
    assert node is not None

    made, problems = substitute(node, env=ENV)

    assert (to_data(made), problems) == ({"a": "index?!", "b": "index?", "c": "index"}, [])


def test_a_value_cannot_add_keys() -> None:
    node, _ = parse("a: $EVIL\n", "a.yml")
    assert node is not None

    made, _ = substitute(node, env={"EVIL": "1\nb: 2"})

    assert to_data(made) == {"a": "1\nb: 2"}


def test_text_that_doubles_itself_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEXT", 100)
    lines = ["v0: xxxxxxxxxx"]
    lines += [f"v{n}: ${{{{root.v{n - 1}}}}}${{{{root.v{n - 1}}}}}" for n in range(1, 12)]
    node, _ = parse("\n".join(lines), "a.yml")
    assert node is not None

    _, problems = substitute(node, env={})

    assert {problem.code for problem in problems} == {"JNA404"}


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "0x10", "on", "1.2.3"])
def test_what_jina_s_rules_leave_alone_stays_text(text: str) -> None:
    assert retyped(text) == text
