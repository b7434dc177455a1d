"""What the schemas say of built-in Executors against the classes themselves."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.executor import Executor
from jina_cli.executors.handlers import handlers_of
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


def own_parameters(cls: type[Executor]) -> dict[str, Any]:
    """Return the defaults of the arguments that a class has beside those of all."""
    common = inspect.signature(Executor.__init__).parameters
    return {
        name: list(one.default) if isinstance(one.default, tuple) else one.default
        for name, one in inspect.signature(cls.__init__).parameters.items()
        if name not in common and one.kind is not one.VAR_KEYWORD
    }


@pytest.mark.parametrize("name", BUILT_IN)
def test_arguments_and_defaults_are_those_of_the_constructor(name: str) -> None:
    said = {key: rule.default for key, rule in arguments_of(KNOWN[name]).items()}

    assert said == own_parameters(class_of(name))


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_argument_is_described_and_takes_its_own_default(name: str) -> None:
    assert KNOWN[name].description.endswith(".")
    for key, rule in arguments_of(KNOWN[name]).items():
        assert rule.description.endswith("."), key
        kind = "null" if rule.default is None else JSON_TYPES[type(rule.default)]
        assert kind in rule.types, key
        assert not rule.enum or rule.default in rule.enum, key


@pytest.mark.parametrize("name", BUILT_IN)
def test_endpoints_are_those_that_an_instance_serves(name: str, tmp_path: Path) -> None:
    executor = create(class_of(name), {}, Surroundings(workspace=str(tmp_path)))
    try:
        assert sorted(handlers_of(executor)) == list(KNOWN[name].endpoints)
    finally:
        executor.close()


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
