"""Broken specs, one file each in tests/fixtures/bad: exactly what a user reads, and how fast."""

from __future__ import annotations

import io
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jina_cli.cli.app import run
from jina_cli.cli.render_diagnostics import read_sources, render
from jina_cli.errors import Exit
from jina_cli.spec.load import check_file

BAD = Path(__file__).parents[1] / "fixtures" / "bad"
SPECS = sorted(path.name for path in BAD.glob("*.yml"))
SECONDS = 0.5
"""What checking one of them may take."""


@pytest.fixture(autouse=True)
def _beside_the_specs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    for name in list(os.environ):
        if name.startswith("JINA_") or name in ("GITHUB_ACTIONS", "FORCE_COLOR"):
            monkeypatch.delenv(name)


def expected(spec: str) -> str:
    return (BAD / spec).with_suffix(".txt").read_text("utf-8")


def installed(*words: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run the installed command; return how it ended, and the processor time it took.

    Time on the clock would say more of what else the machine does at the moment.
    """
    jina = shutil.which("jina", path=os.path.dirname(sys.executable))
    assert jina is not None, "jina is not installed beside this Python"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([jina, *words], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_there_are_at_least_25_of_them() -> None:
    assert len(SPECS) >= 25


def test_each_has_its_expected_text() -> None:
    assert {Path(name).stem for name in SPECS} == {path.stem for path in BAD.glob("*.txt")}


@pytest.mark.parametrize("spec", SPECS)
def test_it_is_told_word_for_word(spec: str) -> None:
    began = time.process_time()
    diagnostics = check_file(spec, env={}).diagnostics
    text = render(diagnostics, "human", read_sources(diagnostics)) + "\n"
    took = time.process_time() - began

    assert text == expected(spec)
    assert took < SECONDS


@pytest.mark.parametrize("spec", SPECS)
def test_the_command_says_the_same_and_exits_with_78(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["validate", spec])

    said = capsys.readouterr()
    assert (code, said.out, said.err) == (Exit.BAD_SPEC, "", expected(spec))


@pytest.mark.parametrize(
    "spec", ["jna404-alias-bomb.yml", "jna501-missing-files.yml", "jna201-unknown-need.yml"]
)
def test_the_installed_command_is_quick(spec: str) -> None:
    done, seconds = installed("validate", spec)

    assert (done.returncode, done.stdout, done.stderr) == (78, "", expected(spec))
    assert seconds < SECONDS


def test_no_process_is_started_and_no_code_of_theirs_is_run() -> None:
    watch = """
import sys
def forbid(event, arguments):
    if event in ("os.fork", "os.posix_spawn", "subprocess.Popen", "os.system", "socket.connect"):
        sys.stderr.write(f"FORBIDDEN {event}\\n")
sys.addaudithook(forbid)
from jina_cli.cli.app import run
code = run(["validate", *sys.argv[1:]])
heavy = {"numpy", "grpc", "docarray", "executors", "broken"} & set(sys.modules)
print(code, sorted(heavy))
"""
    done = subprocess.run(
        [sys.executable, "-c", watch, *SPECS], capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines() == ["78 []"]
    assert "FORBIDDEN" not in done.stderr


def test_a_file_of_50_executors_shows_all_its_errors_at_once(tmp_path: Path) -> None:
    pods = "".join(
        f"  - name: pod{n}\n    uses: TextIndexer\n    replica: 2\n    needs: nobody{n}\n"
        for n in range(50)
    )
    spec = tmp_path / "fifty.yml"
    spec.write_text(f"jtype: Flow\nexecutors:\n{pods}")

    began = time.process_time()
    found = check_file(spec, env={}).diagnostics
    took = time.process_time() - began

    assert [each.code for each in found] == ["JNA101", "JNA201"] * 50
    assert took < 0.4


def test_the_installed_command_checks_50_executors_in_its_budget(tmp_path: Path) -> None:
    pods = "".join(f"  - {{name: pod{n}, uses: TextIndexer, replicas: 2}}\n" for n in range(50))
    spec = tmp_path / "fifty.yml"
    spec.write_text(f"jtype: Flow\nexecutors:\n{pods}")

    done, seconds = installed("validate", str(spec))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{spec}: valid Flow of 50 Pods\n"
    assert seconds < 0.4


def test_a_file_that_is_not_there_exits_with_66(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["validate", "nowhere.yml"])

    assert (code, capsys.readouterr().err) == (
        Exit.NO_INPUT,
        "jina: error: there is no file 'nowhere.yml'\n",
    )


def test_a_file_may_come_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = b"jtype: Flow\nexecutors: [{name: a, replica: 2}]\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    code = run(["validate", "-"])

    said = capsys.readouterr().err
    assert code == Exit.BAD_SPEC
    assert said.startswith("-:2:23: error[JNA101]: 'replica' is not a key of a Pod\n")
    assert "2 | executors: [{name: a, replica: 2}]" in said


def test_problems_of_several_files_come_in_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    specs = ["jna101-misspelt-key.yml", "nowhere.yml", "jna203-cycle.yml"]

    code = run(["validate", "--output", "concise", *specs])

    assert code == Exit.BAD_SPEC
    assert capsys.readouterr().err == (
        "jna101-misspelt-key.yml:4:5: error[JNA101]: 'replica' is not a key of a Pod "
        "(did you mean 'replicas'?)\n"
        "jna203-cycle.yml:3:15: error[JNA203]: these Pods wait for each other: a -> c -> b -> a "
        "(let one of them need 'gateway')\n"
        "jina: warning: there is no file 'nowhere.yml'\n"
    )


def test_json_is_one_object_for_each_problem(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["validate", "--json", "jna101-misspelt-key.yml"])

    said = capsys.readouterr()
    assert code == Exit.BAD_SPEC
    assert said.err == (
        '{"schema": "jina.error/1", "code": "JNA101", "exit": 78, "severity": "error", '
        '"file": "jna101-misspelt-key.yml", "line": 4, "column": 5, '
        '"path": "executors[0].replica", "message": "\'replica\' is not a key of a Pod", '
        '"suggestion": "did you mean \'replicas\'?"}\n'
    )
    assert said.out == (
        '{"schema":"jina.validate/1","file":"jna101-misspelt-key.yml","kind":"flow",'
        '"valid":false,"errors":1,"warnings":0}\n'
    )


def test_github_gets_annotations_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    run(["validate", "jna202-needs-itself.yml"])

    assert capsys.readouterr().err == (
        "::error file=jna202-needs-itself.yml,line=4,col=5,title=JNA202::'index' needs itself "
        "(leave 'needs' out to wait for the Pod before it)\n" + expected("jna202-needs-itself.yml")
    )


def test_lenient_runs_what_jina_ran(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["validate", "--lenient", "jna101-misspelt-key.yml"])

    said = capsys.readouterr()
    assert (code, said.out) == (Exit.OK, "jna101-misspelt-key.yml: valid Flow of 1 Pod\n")
    assert said.err.startswith("jna101-misspelt-key.yml:4:5: warning[JNA101]: 'replica' is not")
    assert said.err.endswith("\n1 warning\n")
