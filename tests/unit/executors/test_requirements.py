"""Packages that an Executor asks for are installed by nobody who was not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina_cli.errors import NotPermitted
from jina_cli.executors.requirements import ALLOWED, check_requirements, requirements_of
from jina_cli.plan.models import ExecutorPlan


def test_the_file_is_looked_for_beside_the_code_and_beside_the_yaml(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    here, there = tmp_path / "requirements.txt", tmp_path / "own" / "requirements.txt"
    here.write_text("")
    there.write_text("")
    source = str(tmp_path)

    assert requirements_of(ExecutorPlan(uses="own/e.py:E", source_dir=source)) == [there, here]
    assert requirements_of(ExecutorPlan(uses="E", py_modules=("own/e.py",), source_dir=source)) == [
        there,
        here,
    ]
    assert requirements_of(ExecutorPlan(uses="E")) == []


def test_installing_is_refused_until_it_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("x\n")
    plan = ExecutorPlan(uses="E", source_dir=str(tmp_path))

    with pytest.raises(NotPermitted, match=r"E asks for packages .*requirements.txt"):
        check_requirements([plan], {})
    check_requirements([plan], {ALLOWED: "1"})
    check_requirements([ExecutorPlan(uses="E")], {})
