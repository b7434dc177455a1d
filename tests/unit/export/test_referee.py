"""The published schema and our own checks agree, and would be heard if they did not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jina_cli.export.referee import disagreements
from jina_cli.resources import flows_dir
from jina_cli.spec.load import load_flow

GOOD = sorted(flows_dir().glob("*.yml"))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_ready_made_flows_are_valid_by_the_published_schema(path: Path) -> None:
    assert list(disagreements(load_flow(path, env={}).spec)) == []


def test_a_disagreement_is_shown_where_the_value_stands(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_text("jtype: Flow\nexecutors:\n  - name: one\n    replicas: 2\n", "utf-8")
    flow = load_flow(path, env={}).spec
    broken = replace(flow, executors=(replace(flow.executors[0], replicas=-1),))

    (problem,) = disagreements(broken)

    assert problem.code == "JNA112"
    assert (problem.span.line, problem.path) == (4, "executors[0].replicas")
    assert "-1" in problem.message
