"""What the schemas say of built-in Executors against the classes themselves."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from jina_cli.executors.executor import Executor
from jina_cli.executors.registry import BUILT_IN, load
from jina_cli.plan.models import ExecutorPlan
from jina_cli.spec.load import check_file
from jina_cli.spec.schemas import BuiltIn, Rule, rules
from jina_cli.vocabulary import Metric

KNOWN = rules()["executor"].properties["jtype"].builtin
JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array"}


def class_of(name: str) -> type[Executor]:
    return load(ExecutorPlan(uses=name))


def arguments_of(known: BuiltIn) -> dict[str, Rule]:
    assert known.arguments is not None
    return dict(known.arguments.properties)


def parameters_of(cls: type[Executor]) -> list[dict[str, Any]]:
    """Return the defaults of the arguments of a class's constructor, then those of its bases.

    Those that all Executors have are left out. A constructor that takes any more hands them to
    that of the base. None stands for what has no default.
    """
    common = inspect.signature(Executor.__init__).parameters
    found = []
    for base in (each for each in cls.__mro__ if "__init__" in vars(each)):
        known = inspect.signature(base.__init__).parameters
        named = [p for p in known.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        found.append({p.name: default_of(p) for p in named if p.name not in common})
        if all(p.kind is not p.VAR_KEYWORD for p in known.values()):
            break
    return found


def default_of(parameter: inspect.Parameter) -> Any:
    if parameter.default is parameter.empty:
        return None
    return list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default


@pytest.mark.parametrize("name", BUILT_IN)
def test_arguments_and_defaults_are_those_of_the_constructor(name: str) -> None:
    said = {key: rule.default for key, rule in arguments_of(KNOWN[name]).items()}

    own, *inherited = parameters_of(class_of(name))
    takes = {key: value for each in reversed([own, *inherited]) for key, value in each.items()}
    assert own.keys() <= said.keys()
    assert said == {key: takes[key] for key in said}


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_argument_is_described_and_takes_its_own_default(name: str) -> None:
    known = KNOWN[name]
    assert known.description.endswith(".")
    assert known.arguments is not None
    for key, rule in known.arguments.properties.items():
        assert rule.description.endswith("."), key
        if key in known.arguments.required:
            continue
        kind = "null" if rule.default is None else JSON_TYPES[type(rule.default)]
        kinds = {kind, "number"} if kind == "integer" else {kind}
        assert rule.default in rule.enum if rule.enum else kinds & rule.types, key


def test_the_metrics_that_the_schema_allows_are_those_there_are() -> None:
    allowed = arguments_of(KNOWN["VectorIndexer"])["metric"].enum

    assert list(allowed) == [metric.value for metric in Metric]


def test_a_class_of_ones_own_may_have_a_built_in_name(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from jina import Executor\nclass TextIndexer(Executor): 0\n")
    flow = tmp_path / "flow.yml"
    flow.write_text(
        "jtype: Flow\nexecutors:\n"
        "  - {name: a, uses: TextIndexer, py_modules: mine.py, uses_with: {x: 1}}\n"
    )

    assert check_file(flow, env={}).diagnostics == ()


def test_a_misspelt_argument_is_a_warning_with_lenient(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yml"
    flow.write_text(
        "jtype: Flow\nexecutors:\n  - {name: a, uses: VectorIndexer, uses_with: {metrik: l2}}\n"
    )

    checked = check_file(flow, env={}, lenient=True)

    assert checked.is_valid
    assert [each.code for each in checked.diagnostics] == ["JNA101"]
