"""Fault: what schemathesis makes of /openapi.json, as it says and not as it says. No 5xx.

FUZZ_EXAMPLES says how many requests there are in all.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode

from tests.testing.processes import Jinas
from tests.testing.serving import Serving, a_flow_on_all

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "500"))
GROWTH = 1.05
SLACK = 2 * 2**20
MORE = 5

TYPED = """
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from jina import Executor, requests

class Item(BaseDoc):
    text: str = ""
    price: float | None = None
    tags: dict[str, str] = {}
    tensor: NdArray | None = None

class Typed(Executor):
    @requests
    def echo(self, docs: DocList[Item], parameters, **kwargs) -> DocList[Item]:
        return docs

    @requests(on="/one")
    def one(self, doc: Item, **kwargs) -> Item:
        return doc

    @requests(on="/each")
    def each(self, doc: Item, **kwargs) -> Item:
        for _ in range(2):
            yield doc
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("schemathesis")
    with Jinas(folder) as jina:
        yield a_flow_on_all(jina, folder, TYPED, "Typed")


@pytest.mark.timeout(3600)
def test_no_request_that_the_schema_allows_or_forbids_is_answered_with_a_5xx(
    serving: Serving,
) -> None:
    address = f"http://{serving.addresses['http']}"
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    each = max(5, EXAMPLES // (len(operations) + sum(_takes_a_body(one) for one in operations)))
    _ask_all(address, operations, max(5, each // 5))
    before = serving.rss()

    statuses = _ask_all(address, operations, each)

    # The collector comes now and then; what it takes away was not kept.
    for _ in range(MORE):
        if not (grown := _grown(serving, before)):
            break
        _ask_all(address, operations, each // 5)
    print(f"{len(operations)} operations: {dict(statuses)}", serving.rss(), before)
    assert statuses[200]
    assert any(400 <= status < 500 for status in statuses)
    assert not grown
    assert "Traceback" not in serving.process.stdout + serving.process.stderr


def _grown(serving: Serving, before: Mapping[int, int]) -> dict[int, int]:
    """Return by how many bytes processes grew that grew by more than they may."""
    after = serving.rss()
    assert after.keys() == before.keys(), f"a process was started again: {serving.process.stdout}"
    return {
        pid: after[pid] - size for pid, size in before.items() if after[pid] > GROWTH * size + SLACK
    }


def _takes_a_body(operation: APIOperation) -> bool:
    return bool(operation.method.lower() == "post")


def _ask_all(address: str, operations: Sequence[APIOperation], each: int) -> Counter[int]:
    """Return how often which status was the answer."""
    statuses: Counter[int] = Counter()
    with requests.Session() as session:
        for operation in operations:
            for mode in GenerationMode:
                with suppress(Unsatisfiable):  # a GET has nothing that could be wrong
                    _ask(operation, mode, each, address, session, statuses)
    return statuses


def _ask(
    operation: APIOperation,
    mode: GenerationMode,
    count: int,
    address: str,
    session: requests.Session,
    statuses: Counter[int],
) -> None:
    @seed(0)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        response = case.call(base_url=address, session=session, timeout=20)
        statuses[response.status_code] += 1
        told = f"{case.method} {case.formatted_path}: {response.text[:300]}"
        assert response.status_code < 500 or _is_late_by_wish(case, response), told

    ask()


def _is_late_by_wish(case: Case, response: schemathesis.Response) -> bool:
    """Return whether the request said itself how long it may take, and that was too short."""
    header = case.body.get("header") if isinstance(case.body, dict) else None
    return response.status_code == 504 and isinstance(header, dict) and "timeout" in header
