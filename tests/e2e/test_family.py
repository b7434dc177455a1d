"""The example of every built-in Executor, in Flows that run: YAML, processes, requests."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from jina_cli import Flow
from jina_cli.documents.convert import to_docs
from jina_cli.documents.document import Document
from tests.testing.family import (
    COUNT,
    NAMES,
    USERS_OWN,
    a_service,
    described,
    documents,
    endpoints,
    example,
)

HERE = [
    name
    for name in NAMES
    if name not in USERS_OWN or importlib.util.find_spec(USERS_OWN[name]) is not None
]
PAGES = {"/get", "/dump"}
"""Endpoints that answer with what is kept, whatever came."""


@pytest.fixture
def url() -> Iterator[str]:
    with a_service() as found:
        yield found


@pytest.mark.parametrize("names", [HERE[::2], HERE[1::2]], ids=["even", "odd"])
def test_examples_run_in_one_flow(names: Sequence[str], tmp_path: Path, url: str) -> None:
    pods = []
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        pods.append({"name": f"a{name}", "uses": name, "uses_with": example(name, folder, url)})
    said = {"jtype": "Flow", "colocate": True, "workspace": "work", "executors": pods}
    file = tmp_path / "flow.yml"
    file.write_text(yaml.safe_dump(said))
    docs = to_docs(documents(), Document)

    with Flow.load_config(str(file)) as flow:
        for name in names:
            # One that serves nothing of its own lets all pass, and cannot be asked alone.
            for endpoint in endpoints(name) if described()[name]["endpoints"] else []:
                back = flow.post(endpoint, docs, target_executor=f"^a{name}$")
                expected = [f"d{place:02}" for place in range(COUNT)]
                assert [doc.id for doc in back] == expected or endpoint in PAGES, (name, endpoint)
