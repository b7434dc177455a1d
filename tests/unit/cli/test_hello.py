"""Which Flow `jina hello fashion` runs, and whether it is taught first."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina_cli.cli import app
from jina_cli.cli.commands import hello
from jina_cli.resources import flows_dir
from jina_cli.spec.load import load_flow


@pytest.mark.parametrize(("neural", "flow"), [(True, "fashion.yml"), (False, "fashion-hog.yml")])
def test_the_neural_flow_is_taken_where_something_runs_it(
    neural: bool,
    flow: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(hello, "has_neural", lambda: neural)

    app._run_command(("hello", "fashion"), hello.fashion, ["--print-flow"])

    assert capsys.readouterr().out == (flows_dir() / flow).read_text("utf-8")


@pytest.mark.parametrize(("flow", "learns"), [("fashion", False), ("fashion-hog", True)])
def test_an_encoder_that_learns_is_taught(flow: str, learns: bool) -> None:
    spec = load_flow(flows_dir() / f"{flow}.yml", env={}).spec

    assert hello.learns(spec) is learns


def test_an_executor_that_is_not_ours_may_learn(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from jina import Executor\nclass Mine(Executor): 0\n")
    flow = tmp_path / "flow.yml"
    flow.write_text("jtype: Flow\nexecutors:\n  - {name: a, uses: Mine, py_modules: mine.py}\n")

    assert hello.learns(load_flow(flow, env={}).spec)
