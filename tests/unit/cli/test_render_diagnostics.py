"""Diagnostics as text."""

from __future__ import annotations

import json

from jina_cli.cli.render_diagnostics import count_line, render
from jina_cli.diagnostics import Diagnostic, Severity, Span


def a_problem(line: int, column: int, end: int, **more: object) -> Diagnostic:
    values: dict[str, object] = {
        "code": "JNA101",
        "message": "'replica' is not a key of a Pod",
        "span": Span("flow.yml", line, column, end),
        **more,
    }
    return Diagnostic(**values)  # type: ignore[arg-type]


def test_text_points_at_the_key_that_is_wrong() -> None:
    sources = {"flow.yml": ["", "", "", "    replica: 3"]}
    problem = a_problem(4, 5, 12, hint="did you mean 'replicas'?")

    assert render([problem], "human", sources) == (
        "flow.yml:4:5: error[JNA101]: 'replica' is not a key of a Pod\n"
        "  |\n"
        "4 |     replica: 3\n"
        "  |     ^^^^^^^\n"
        "  = help: did you mean 'replicas'?\n"
        "\n"
        "1 error"
    )


def test_the_caret_stands_under_wide_characters() -> None:
    sources = {"flow.yml": ["日本: [値段]"]}

    text = render([a_problem(1, 6, 8)], "human", sources)

    assert text.splitlines()[2:4] == ["1 | 日本: [値段]", "  |        ^^^^"]


def test_a_long_line_is_cut_around_the_place() -> None:
    sources = {"flow.yml": ["x" * 5000 + "HERE" + "y" * 5000]}

    lines = render([a_problem(1, 5001, 5005)], "human", sources).splitlines()

    assert len(lines[2]) <= 124
    assert lines[2][lines[3].index("^") : lines[3].rindex("^") + 1] == "HERE"


def test_nothing_a_terminal_would_act_on_gets_through() -> None:
    sources = {"flow.yml": ["a: \x1b[31m\tred"]}
    problem = a_problem(1, 4, 5, message="bad \x1b[31m", hint="no \x07")

    text = render([problem], "human", sources)

    assert "\x1b" not in text
    assert "\x07" not in text


def test_a_line_that_cannot_be_read_is_left_out() -> None:
    assert render([a_problem(9, 1, 2)], "human", {}) == (
        "flow.yml:9:1: error[JNA101]: 'replica' is not a key of a Pod\n\n1 error"
    )


def test_an_option_has_no_line() -> None:
    problem = a_problem(1, 1, 2, span=Span("--scale", 1, 1, 2))

    assert render([problem], "human", {}).startswith("--scale: error[JNA101]: ")


def test_colour_is_for_severity_alone() -> None:
    problem = a_problem(1, 1, 2, severity=Severity.WARNING)

    text = render([problem], "human", {"flow.yml": ["x"]}, color=True)

    assert "\x1b[33mwarning[JNA101]" in text
    assert text.endswith("1 warning")


def test_json_is_one_line_each() -> None:
    lines = render([a_problem(1, 1, 2)] * 2, "json", {}).splitlines()

    assert len(lines) == 2
    assert json.loads(lines[0])["schema"] == "jina.error/1"


def test_annotations_escape_what_the_runner_would_read() -> None:
    problem = a_problem(1, 1, 2, span=Span("a,b:c.yml", 1, 1, 2), message="50%\nmore")

    assert render([problem], "github", {}).splitlines()[0] == (
        "::error file=a%2Cb%3Ac.yml,line=1,col=1,title=JNA101::50%25%0Amore"
    )


def test_problems_are_counted_by_severity() -> None:
    error, warning = a_problem(1, 1, 2), a_problem(1, 1, 2, severity=Severity.WARNING)

    assert count_line([error, warning, error]) == "2 errors, 1 warning"
    assert count_line([warning]) == "1 warning"
    assert count_line([]) == "no problems"
