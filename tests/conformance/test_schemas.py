"""The schemas against everything that has to agree with them."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

from jina_cli.drivers.table import DRIVERS
from jina_cli.executors.registry import BUILT_IN
from jina_cli.export.schema import bundle
from jina_cli.resources import flows_dir, schemas_dir
from jina_cli.spec.codes import CODES
from jina_cli.spec.dialect import canonical_flow, kind_of
from jina_cli.spec.files import Files
from jina_cli.spec.load import check_file
from jina_cli.spec.models import DriverSpec, ExecutorSpec, FlowSpec, GatewaySpec, PodSpec
from jina_cli.spec.nodes import MapNode, to_data
from jina_cli.spec.schemas import KINDS, Rule, rules, schema_text
from jina_cli.spec.validate import check
from jina_cli.vocabulary import Restart

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
DOCUMENTS: dict[str, Any] = {kind: json.loads(schema_text(kind)) for kind in KINDS}
MODELS = {
    "flow": FlowSpec,
    "pod": PodSpec,
    "gateway": GatewaySpec,
    "executor": ExecutorSpec,
    "driver": DriverSpec,
}
NOT_WRITTEN = {"span", "spans", "source", "source_dir"}
"""Fields that say where something stood."""

RESOLVED = {"with", "inspect", "jtype"}
"""Keys that other fields already say."""

VARIABLES = {"PORT": "0", "NUMBER": "007", "REPLICAS": "2"}


def properties(schema: Mapping[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in schema.items():
        if key == "properties":
            for name, inner in value.items():
                yield f"{place}.{name}", inner
                yield from properties(inner, f"{place}.{name}")
        elif isinstance(value, dict):
            yield from properties(value, place)


EVERY = [entry for kind in KINDS for entry in properties(DOCUMENTS[kind], kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_valid_under_its_meta_schema(kind: str) -> None:
    Draft202012Validator.check_schema(DOCUMENTS[kind])


def test_there_is_no_schema_that_nobody_reads() -> None:
    assert {path.stem for path in schemas_dir().glob("*.json")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_describes_itself(kind: str) -> None:
    assert DOCUMENTS[kind]["$id"].endswith(f"/{kind}.json")
    assert DOCUMENTS[kind]["description"].endswith(".")


def test_every_property_has_a_description_with_a_full_stop_and_a_default() -> None:
    own = [(place, schema) for place, schema in EVERY if "$ref" not in schema]

    assert [p for p, s in own if not str(s.get("description", "")).endswith(".")] == []
    assert [p for p, s in own if "default" not in s] == []


def test_reasons_read_on_after_a_colon_and_have_no_full_stop() -> None:
    reasons = [s[key] for _, s in EVERY for key in ("x-refused", "x-ignored") if key in s]

    assert [reason for reason in reasons if reason.endswith(".")] == []


def test_a_renamed_key_leads_to_a_live_one() -> None:
    for kind in KINDS:
        known = rules()[kind].properties
        for rule in known.values():
            target = rule.renamed_to or rule.alias_of
            assert not target or not known[target].renamed_to, (kind, target)


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_has_a_field_for_each_key_that_has_an_effect(kind: str) -> None:
    fields = {f.name.rstrip("_") for f in dataclasses.fields(MODELS[kind])} - NOT_WRITTEN
    live = {name for name, rule in rules()[kind].properties.items() if rule.is_live}

    assert fields - RESOLVED == live - RESOLVED


@pytest.mark.parametrize("kind", ["flow", "pod", "gateway", "executor"])
def test_defaults_of_models_are_those_of_the_schema(kind: str) -> None:
    wrong = {}
    for field in dataclasses.fields(MODELS[kind]):
        rule = rules()[kind].properties.get(field.name.rstrip("_"))
        if rule is None or field.name in ("name", "needs", "executors", "gateway", "uses"):
            continue
        default = field.default
        if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if field.name == "polling":
            default = default["*"]
        if plain(default) != plain(rule.default):
            wrong[field.name] = (plain(default), rule.default)

    assert wrong == {}


def plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def test_words_that_enums_know_are_those_of_the_schema() -> None:
    assert set(rules()["pod"].properties["restart"].enum) == {each.value for each in Restart}


def test_built_in_executors_and_drivers_are_those_that_exist() -> None:
    assert set(rules()["executor"].properties["jtype"].builtin) == set(BUILT_IN)
    assert set(rules()["driver"].properties["driver"].builtin) == set(DRIVERS)


def test_with_knows_each_key_of_a_gateway_or_a_pod_that_can_be_a_default() -> None:
    held = rules()["flow"].properties["with"].properties
    own = {"name", "needs", "method", "jtype", "uses", "uses_with", "with", "metas", "requests"}
    own.add("jcloud")  # has no effect wherever it stands
    own.add("runtime")  # the first Pod could never have it; `colocate` is for all that can
    pods = {k for k in rules()["pod"].properties if k not in own}
    missing = {k for k in pods | set(rules()["gateway"].properties) if k not in held} - own

    assert missing <= {"dynamic_batching", "depends_on", "retries", "py_modules"}


JINA_KEYS = (ROOT / "tests" / "fixtures" / "jina-3.34-keys.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("line", JINA_KEYS)
def test_every_key_of_jina_is_known(line: str) -> None:
    kind, _, names = line.partition(": ")
    known = rules()[kind].properties

    assert [name for name in names.split() if name not in known] == []


@pytest.mark.parametrize("path", sorted(flows_dir().glob("*.yml")), ids=lambda p: p.name)
def test_a_shipped_flow_is_valid(path: Path) -> None:
    assert check_file(path, env={}).diagnostics == ()


REGISTRY: Registry[Any] = Registry().with_resources(
    (DOCUMENTS[kind]["$id"], Resource.from_contents(DOCUMENTS[kind])) for kind in KINDS
)


@pytest.mark.parametrize(
    "path",
    [*sorted(FIXTURES.glob("good/*.yml")), *sorted(FIXTURES.glob("bad/jna10*.yml"))],
    ids=lambda p: p.name,
)
def test_our_walk_and_a_full_validator_agree(path: Path) -> None:
    files = Files(env=VARIABLES, context={"pod": "index"})
    root = files.read(path, str(path))
    if not isinstance(root, MapNode) or kind_of(root) not in ("flow", "deployment"):
        pytest.skip("no Flow")
    flow, _ = canonical_flow(root)
    flow, _ = files.expanded(flow)
    theirs = Draft202012Validator(DOCUMENTS["flow"], registry=REGISTRY)

    ours = [each for each in check(flow, "flow") if each.severity.value == "error"]

    assert bool(ours) == (not theirs.is_valid(to_data(flow)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_schema_needs_no_other_file(kind: str) -> None:
    for draft, validator in (("2020-12", Draft202012Validator), ("7", Draft7Validator)):
        document = bundle(kind, draft)  # type: ignore[arg-type]
        validator.check_schema(document)
        references = list(refs(document))
        assert all(reference.startswith("#") for reference in references)
        for reference in references:
            target: Any = document
            for step in reference.split("/")[1:]:
                target = target[step]


def refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def test_editors_are_told_what_a_file_of_ours_may_hold() -> None:
    validator = Draft7Validator(bundle("flow", "7"))

    assert validator.is_valid({"jtype": "Flow", "executors": [{"name": "a", "replicas": 2}]})
    assert not validator.is_valid({"jtype": "Flow", "executors": [{"name": "a", "replica": 2}]})


@pytest.mark.parametrize(
    ("pod", "is_right"),
    [
        ({"uses": {"jtype": "VectorIndexer", "with": {"metric": "l2"}}}, True),
        ({"uses": {"jtype": "VectorIndexer", "with": {"metric": "far"}}}, False),
        ({"uses": {"jtype": "VectorIndexer", "with": {"metrc": "l2"}}}, False),
        ({"uses": {"jtype": "VectorIndexer", "with": {"workspace": "here"}}}, True),
        ({"uses": {"jtype": "VectorIndexer", "with": None}}, True),
        ({"uses": {"jtype": "Mine", "with": {"metrc": "l2"}}}, True),
        (
            {"uses": {"jtype": "VectorIndexer", "py_modules": ["a.py"], "with": {"metrc": 1}}},
            True,
        ),
        ({"uses": "VectorIndexer", "uses_with": {"metric": "l2"}}, True),
        ({"uses": "VectorIndexer", "uses_with": {"dim": 3}}, False),
        ({"uses": "VectorIndexer", "py_modules": "a.py", "uses_with": {"dim": 3}}, True),
        ({"uses": "BaseExecutor", "uses_with": {"dim": 3}}, False),
    ],
)
def test_editors_are_told_what_a_built_in_executor_takes(pod: Any, is_right: bool) -> None:
    flow = {"jtype": "Flow", "executors": [pod]}

    assert Draft7Validator(bundle("flow", "7")).is_valid(flow) is is_right
    assert Draft202012Validator(bundle("flow")).is_valid(flow) is is_right


def test_every_code_that_a_module_of_the_spec_uses_is_explained() -> None:
    import re

    used = {
        code
        for folder in ("spec", "plan")
        for path in (ROOT / "jina_cli" / folder).glob("*.py")
        for code in re.findall(r"JNA\d{3}", path.read_text("utf-8"))
    }

    assert used - set(CODES) == set()


def test_no_rule_allows_two_alternatives_of_one_type() -> None:
    def walk(rule: Rule, seen: set[int]) -> Iterator[Rule]:
        if id(rule) in seen:
            return
        seen.add(id(rule))
        yield rule
        inner = [*rule.properties.values(), *rule.any_of]
        for each in [*inner, *(r for r in (rule.items, rule.additional) if r)]:
            yield from walk(each, seen)

    seen: set[int] = set()
    for kind in KINDS:
        for rule in walk(rules()[kind], seen):
            types = [kind for branch in rule.any_of for kind in branch.types]
            assert len(types) == len(set(types)), rule.description
