"""What the schema says of Drivers against the Drivers themselves."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, Literal

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from jina_cli.documents.traversal import parse_paths
from jina_cli.drivers.table import DRIVERS, OLD_NAMES, build_driver
from jina_cli.export.schema import bundle
from jina_cli.spec.explain import explain, nearest_keys
from jina_cli.spec.legacy import drivers_by_endpoint
from jina_cli.spec.nodes import MapNode, to_data
from jina_cli.spec.schemas import Rule, rules
from jina_cli.spec.source import load_bytes

KNOWN = rules()["driver"].properties["driver"].builtin


def options_of(name: str) -> dict[str, Rule]:
    arguments = KNOWN[name].arguments
    assert arguments is not None
    return dict(arguments.properties)


@pytest.mark.parametrize("name", DRIVERS)
def test_options_and_defaults_are_those_of_the_driver(name: str) -> None:
    fields = {field.name: field.default for field in dataclasses.fields(DRIVERS[name])}

    said: dict[str, Any] = {}
    for key, rule in options_of(name).items():
        said[key] = tuple(rule.default) if isinstance(rule.default, list) else rule.default
        if key == "traversal_paths":
            said[key] = parse_paths(rule.default)
    assert said == fields


@pytest.mark.parametrize("name", DRIVERS)
def test_each_option_is_described_and_its_choices_are_those_of_the_driver(name: str) -> None:
    hints = typing.get_type_hints(DRIVERS[name])

    assert KNOWN[name].description.endswith(".")
    for key, rule in options_of(name).items():
        assert rule.description.endswith("."), key
        wanted = hints[key]
        choices = typing.get_args(wanted) if typing.get_origin(wanted) is Literal else ()
        assert tuple(rule.enum) == choices, key


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_can_be_built_of_the_defaults_that_the_schema_says(name: str) -> None:
    given = {key: rule.default for key, rule in options_of(name).items()}

    assert build_driver({"driver": name, "with": given}) == build_driver(name)


@pytest.mark.parametrize(
    ("driver", "is_right"),
    [
        ({"driver": "SliceDriver", "with": {"end": 3}}, True),
        ({"driver": "SliceDriver", "with": {"ende": 3}}, False),
        ({"driver": "SliceDriver", "with": {"end": "3"}}, False),
        ({"driver": "SliceDriver", "with": None}, True),
        ({"driver": "SliceDriver"}, True),
        ({"driver": "SortDriver", "with": {"traversal_paths": ["@c", "m"]}}, True),
        ({"driver": "SortDriver", "with": {"traversal_paths": "@x"}}, False),
    ],
)
def test_editors_are_told_what_a_driver_takes(driver: Any, is_right: bool) -> None:
    requests = {"/search": [driver]}
    flow = {"jtype": "Flow", "executors": [{"uses": {"jtype": "Mine", "requests": requests}}]}

    assert Draft7Validator(bundle("flow", "7")).is_valid(flow) is is_right
    assert Draft202012Validator(bundle("flow")).is_valid(flow) is is_right


def test_a_driver_and_its_options_are_explained() -> None:
    (slicing,) = explain("SliceDriver")
    (end,) = explain("SliceDriver.end")

    assert slicing.types == ("Driver",)
    assert [*slicing.arguments] == ["start", "end", "traversal_paths", "priority"]
    assert end.description == "Place before which it ends; the end of the list if left out."
    assert nearest_keys("slicedrivr")[0] == "SliceDriver"


@pytest.mark.parametrize(("old", "now"), OLD_NAMES.items())
def test_a_queryset_knows_drivers_by_the_same_old_names_as_files_do(old: str, now: str) -> None:
    root, _ = load_bytes(f"on: {{SearchRequest: [{old}]}}".encode(), "x.yml")
    assert isinstance(root, MapNode)

    (driver,) = to_data(drivers_by_endpoint(root, []))["/search"]
    assert driver["driver"] == now
    assert type(build_driver(driver)).__name__ == now
