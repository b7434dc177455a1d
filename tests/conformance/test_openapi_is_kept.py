"""The Gateway does what `/openapi.json` promises, whatever schemathesis thinks of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from jina_cli.vocabulary import Protocol
from tests.testing.gateways import a_folder, a_gateway_aside, a_route
from tests.testing.peas import Peas

EXECUTORS = """
from docarray import BaseDoc, DocList
from jina import Executor, requests
from pydantic import BaseModel

class Note(BaseDoc):
    text: str = ""
    number: int = 0
    tags: dict[str, str] = {}

class Settings(BaseModel):
    top_k: int = 1

class Work(Executor):
    @requests(on="/a b/ü")
    def plain(self, docs: DocList[Note], **kwargs) -> DocList[Note]:
        return docs

    @requests(on="/model")
    def model(self, docs: DocList[Note], parameters: Settings, **kwargs) -> DocList[Note]:
        return docs

    @requests(on="/count")
    def count(self, doc: Note, **kwargs) -> Note:
        yield doc
        yield doc
"""
OPERATIONS = {
    ("post", "/a b/ü"),
    ("post", "/model"),
    ("post", "/count"),
    ("get", "/count"),
    ("get", "/"),
    ("get", "/readyz"),
    ("get", "/dry_run"),
    ("get", "/status"),
}
# A schema cannot say which numbers are too large and which expressions are too complex.
UNSAID = [positive_data_acceptance]


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    folder = a_folder()
    try:
        with Peas(folder) as peas:
            source = peas.write("executors.py", EXECUTORS)
            work = peas.start(peas.worker(f"{source}:Work", name="work/rep-0"))
            routes = [a_route("work", work.plan.address)]
            with a_gateway_aside(folder, routes, [Protocol.HTTP]) as (gateway, _):
                url = f"http://{gateway.addresses['http']}/openapi.json"
                yield schemathesis.openapi.from_url(url)
    finally:
        shutil.rmtree(folder)


def test_every_operation_is_described(api: Any) -> None:
    told = [result.ok() for result in api.get_all_operations()]

    assert {(operation.method, operation.path) for operation in told} == OPERATIONS


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
def test_answers_are_what_the_description_says(api: Any, method: str, path: str) -> None:
    operation = api[path][method.upper()]

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=UNSAID)

    ask()
