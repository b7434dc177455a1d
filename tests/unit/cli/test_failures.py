"""How each failure ends a command."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from jina_cli import errors
from jina_cli.cli.failures import end_of
from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.errors import Exit

SPEC = Diagnostic(code="JNA101", message="x", span=Span("no.yml", 1, 1, 2))

ENDS: list[tuple[BaseException, int]] = [
    (errors.JinaError("x"), 1),
    (errors.UsageError("x"), 2),
    (errors.NothingMatched("x"), 5),
    (errors.BadInput("x"), 65),
    (errors.InputMissing("x"), 66),
    (errors.Unreachable("x"), 69),
    (errors.CannotWrite("x"), 73),
    (errors.StorageFailed("x"), 74),
    (errors.TimedOut("x"), 75),
    (errors.NotPermitted("x"), 77),
    (errors.SpecInvalid([SPEC]), 78),
    (errors.PodFailed("index", "x"), 1),
    (errors.RequestFailed("x", status="EXECUTOR"), 1),
    (errors.MissingExtra("x", "gpu"), 1),
    (KeyboardInterrupt(), 130),
    (SystemExit(143), 143),
    (BrokenPipeError(), 0),
    (FileNotFoundError(errno.ENOENT, "no", "f"), 66),
    (PermissionError(errno.EACCES, "no", "f"), 77),
    (OSError(errno.ENOSPC, "No space left on device"), 74),
    (ExceptionGroup("many", [errors.TimedOut("x"), ValueError()]), 75),
    (ValueError("oops"), 70),
]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("error", "code"), ENDS, ids=lambda x: type(x).__name__)
def test_each_failure_has_its_exit_code(
    error: BaseException, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert end_of(error, ["index"]) == code
    assert "Traceback" not in capfd.readouterr().err


def test_every_exit_code_of_an_error_is_listed() -> None:
    listed = {code for _, code in ENDS}

    assert set(Exit) - {Exit.OK, Exit.BUG} <= listed


def test_a_failure_is_one_line_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    end_of(errors.Unreachable("nobody answers at grpc://h:1", hint="start it first"), ["ping"])

    assert capsys.readouterr().err == (
        "jina: error: nobody answers at grpc://h:1: start it first\n"
    )


def test_a_pod_that_failed_has_its_cause_first_and_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end_of(errors.PodFailed("index", "ValueError: no (e.py:3)", ["one", "two"]), ["flow"])

    assert capsys.readouterr().err == (
        "jina: error: index: ValueError: no (e.py:3)\n"
        "its last lines were:\n"
        "  one\n"
        "  two\n"
        "jina: error: index: ValueError: no (e.py:3)\n"
    )


def test_a_failed_request_in_json_names_status_and_executor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end_of(errors.RequestFailed("x", status="EXECUTOR", executor="Mine"), ["index", "--json"])

    data = json.loads(capsys.readouterr().err)
    assert (data["code"], data["exit"]) == ("JNA911", 1)
    assert (data["status"], data["executor"]) == ("EXECUTOR", "Mine")


def test_a_bug_keeps_a_file_without_the_users_arguments(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = end_of(ValueError("oops"), ["--json", "index", "secret.txt"])

    [path] = (state / "jina" / "crashes").iterdir()
    text = path.read_text()
    assert code == Exit.BUG
    assert str(path) in json.loads(capsys.readouterr().err)["suggestion"]
    assert "ValueError: oops" in text
    assert "command: index" in text
    assert "secret" not in text
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_traceback_is_shown_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    end_of(errors.TimedOut("x"), ["ping", "--debug"])

    assert capsys.readouterr().err.endswith("TimedOut: x\njina: error: x\n")
