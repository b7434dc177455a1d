"""Values that nobody expects, in every place of good specs: told, never tripped over."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.cli.render_diagnostics import read_sources, render
from jina_cli.errors import SpecInvalid
from jina_cli.spec.load import check_file, load_flow
from jina_cli.spec.nodes import to_data
from jina_cli.spec.source import load

GOOD = Path(__file__).parents[2] / "fixtures" / "good"
ODD = (
    "",
    " ",
    None,
    -1,
    0,
    2**70,
    0.5,
    True,
    [],
    [""],
    [None],
    [[]],
    {},
    {"": ""},
    "a:b",
    ":",
    "$",
)
ENV = {"LANGUAGE": "en"}


def _data(name: str) -> Any:
    node, problems = load(GOOD / name, name)
    assert node is not None
    assert problems == []
    return to_data(node)


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _places(value, (*path, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _places(value, (*path, place))


def _with(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(data)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


SPECS = {path.name: _data(path.name) for path in sorted(GOOD.glob("*.yml"))}
PLACES = [(name, path) for name, data in SPECS.items() for path in _places(data)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("odd") / "specs"
    shutil.copytree(GOOD, made)
    return made


@settings(max_examples=200, deadline=None)
@given(place=st.sampled_from(PLACES), value=st.sampled_from(ODD))
def test_loading_raises_nothing_but_errors_of_ours(
    folder: Path, place: tuple[str, tuple[Any, ...]], value: Any
) -> None:
    name, path = place
    spec = folder / "changed.yml"
    # What is JSON is YAML too.
    spec.write_text(json.dumps(_with(SPECS[name], path, value), indent=1))

    try:
        load_flow(spec, env=ENV)
    except SpecInvalid as error:
        found = error.diagnostics
    else:
        return

    assert render(found, "human", read_sources(found))


def test_a_pod_without_a_name_is_told(tmp_path: Path) -> None:
    spec = tmp_path / "flow.yml"
    spec.write_text('jtype: Flow\nexecutors:\n  - {name: "", uses: TextIndexer}\n')

    [found] = check_file(spec, env={}).diagnostics

    assert (found.code, found.message) == ("JNA205", "'' cannot be the name of a Pod")
