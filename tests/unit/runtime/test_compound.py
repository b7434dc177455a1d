"""Executors with components, from what a plan says to an answer, with no process between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TensorColumn, TextColumn
from jina_cli.executors.base import Encoder, Executor, ExecutorInvalid, requests
from jina_cli.executors.compound import CompoundExecutor, names_of
from jina_cli.plan.models import ExecutorPlan, PeaPlan
from jina_cli.runtime.load import InitFailed, Loaded, load_executors
from jina_cli.vocabulary import PeaRole
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Format, Request, StatusCode


class Longer(Encoder):
    """Has a vector with the length of a text, and a letter to be told by."""

    field = "text"

    def __init__(self, add: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._add = add

    def encode(self, content: Any) -> Any:
        return np.array([[len(text) + self._add, 1.0] for text in content])


class Shout(Executor):
    @requests(on="/say")
    def say(self, docs: DocumentBatch) -> DocumentBatch:
        return docs.with_texts([f"{text}!" for text in docs.text()])


def plan_of(uses: str, **more: Any) -> ExecutorPlan:
    return ExecutorPlan(uses=uses, **more)


def here(name: str, **more: Any) -> ExecutorPlan:
    """Return the plan of a class of this module."""
    return plan_of(f"{__name__}:{name}", **more)


INDEXERS = (
    plan_of("VectorIndexer", metas={"name": "near"}, with_={"store_fields": []}),
    plan_of("KeyValueIndexer"),
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """Return a function that loads a compound Executor of parts."""
    made: list[Loaded] = []

    def loaded(*parts: ExecutorPlan, when: Any = None, **more: Any) -> Loaded:
        pea = PeaPlan(
            name="pod/rep-0",
            pod="pod",
            role=PeaRole.WORKER,
            address="unix:x",
            workspace=str(tmp_path),
            when=when,
        )
        plan = plan_of("CompoundExecutor", components=parts, **more)
        made.append(load_executors(plan, pea, lambda _: None))
        return made[-1]

    yield loaded
    for one in made:
        one.close()


def ask(loaded: Loaded, endpoint: str, docs: DocumentBatch, **parameters: Any) -> DocumentBatch:
    body = write_body(docs, Format.COLUMNS)
    request = Request(
        request_id="1", endpoint=endpoint, bodies=(body,), parameters=parameters, wanted=body.format
    )
    response = asyncio.run(loaded.host.answer(request))
    assert response.status.code is StatusCode.OK, response.status
    return read_body(response.body)


def texts(*values: str) -> DocumentBatch:
    return DocumentBatch([f"d{len(v)}" for v in values], {"text": TextColumn(values)})


def test_documents_pass_the_components_in_order(make: Any) -> None:
    loaded = make(here("Longer"), *INDEXERS)
    ask(loaded, "/index", texts("a", "bb", "ccc"))

    found = ask(loaded, "/search", texts("bb"), top_k=2)

    matches = found.values("matches")[0]
    assert list(matches.ids) == ["d2", "d3"]
    assert list(matches.values("text")) == ["bb", "ccc"]
    assert loaded.name == "Longer+VectorIndexer+KeyValueIndexer"


def test_each_component_has_a_workspace_below_that_of_the_pod(make: Any, tmp_path: Path) -> None:
    make(*INDEXERS, plan_of("KeyValueIndexer"))

    names = sorted(path.parent.name for path in tmp_path.glob("*/documents.sqlite"))
    assert names == ["KeyValueIndexer", "KeyValueIndexer-1", "near"]


def test_names_of_components_are_never_alike() -> None:
    parts = [plan_of(uses) for uses in ("a.py:X", "X", "pkg.mod:X", "Y")]
    parts.append(plan_of("Z", metas={"name": "Y"}))

    assert names_of(parts) == ["X", "X-1", "X-2", "Y", "Y-1"]


@pytest.mark.parametrize("executor", ["near", "VectorIndexer", "BaseVectorIndexer", "NumpyIndexer"])
def test_drivers_name_the_component_they_call(make: Any, executor: str) -> None:
    search = {"driver": "SearchDriver", "with": {"executor": executor, "top_k": 1}}
    loaded = make(
        here("Longer"), *INDEXERS, requests={"/search": [{"driver": "EncodeDriver"}, search]}
    )
    ask(loaded, "/index", texts("a", "bb"))

    found = ask(loaded, "/search", texts("a"))

    # The text of matches is what the KeyValueIndexer would have filled in.
    assert "text" not in found.values("matches")[0].columns


def test_requests_of_a_compound_hide_those_of_its_components(make: Any) -> None:
    loaded = make(
        here("Shout"), here("Longer"), requests={"/default": [{"driver": "EncodeDriver"}]}
    )

    answer = ask(loaded, "/say", texts("a"))

    assert list(answer.values("text")) == ["a"]
    assert answer.tensor("embedding").tolist() == [[1, 1]]


def test_a_driver_without_a_component_calls_the_one_that_has_the_method(make: Any) -> None:
    encode = [{"driver": "EncodeDriver", "with": {"into": "embedding"}}]
    loaded = make(here("Shout"), here("Longer", with_={"add": 4}), requests={"/x": encode})

    assert ask(loaded, "/x", texts("a")).tensor("embedding").tolist() == [[5, 1]]


def test_a_route_says_which_of_several_is_called(make: Any) -> None:
    parts = [here("Longer", metas={"name": name}, with_={"add": n}) for n, name in enumerate("ab")]
    requests = {"/x": [{"driver": "EncodeDriver"}]}

    with pytest.raises(InitFailed) as failed:
        make(*parts, requests=requests)
    loaded = make(*parts, requests=requests, with_={"routes": {"encode": ["b", "encode"]}})

    assert str(failed.value.__cause__) == (
        "Longer, Longer have a method 'encode':"
        " name one as 'executor' of the Driver, or under 'routes'"
    )
    assert ask(loaded, "/x", texts("a")).tensor("embedding").tolist() == [[2, 1]]


def test_documents_that_a_condition_stops_reach_no_component(make: Any) -> None:
    loaded = make(
        here("Shout"),
        here("Longer"),
        when={"text": {"$neq": "bb"}},
        requests={"/x": ["EncodeDriver"]},
    )

    for endpoint in ("/x", "/say", "/index"):
        assert list(ask(loaded, endpoint, texts("a", "bb")).ids) == ["d1"]


def test_components_may_have_components(make: Any) -> None:
    inner = plan_of("CompoundExecutor", components=(here("Longer"), *INDEXERS))
    loaded = make(here("Shout"), inner)
    ask(loaded, "/index", texts("a"))

    assert [m.ids for m in ask(loaded, "/search", texts("a")).values("matches")] == [["d1"]]
    assert list(ask(loaded, "/say", texts("a")).values("text")) == ["a!"]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            {"requests": {"/x": [{"driver": "EncodeDriver", "with": {"executor": "Longr"}}]}},
            "there is no component 'Longr': did you mean 'Longer'?",
        ),
        (
            {"requests": {"/x": [{"driver": "RankDriver"}]}},
            "no component has a method 'rank'",
        ),
        (
            {"requests": {"/x": [{"driver": "RankDriver", "with": {"executor": "Longer"}}]}},
            "Longer has no method 'rank', which RankDriver calls",
        ),
        (
            {"with_": {"routes": {"encode": "Longer"}}},
            "the route 'encode' must name a component and its method",
        ),
        (
            {"with_": {"routes": {"encode": ["Longer", "x"]}}},
            "the route 'encode' leads nowhere: Longer has no 'x'",
        ),
    ],
)
def test_what_names_no_component_is_said_when_it_is_made(
    make: Any, more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InitFailed) as failed:
        make(here("Longer"), here("Shout"), **more)

    assert str(failed.value.__cause__) == problem


def test_a_program_puts_executors_together() -> None:
    both = CompoundExecutor([Longer(add=1), Shout()])

    assert both.encode(["a"]).tolist() == [[2, 1]]
    assert both.component("Shout").say(texts("a")).text() == ["a!"]
    with pytest.raises(AttributeError):
        both.index  # noqa: B018
    with pytest.raises(ExecutorInvalid):
        CompoundExecutor([])


def test_yaml_of_components_makes_one_executor(tmp_path: Path) -> None:
    text = """
        jtype: CompoundExecutor
        components:
          - {jtype: VectorIndexer, metas: {name: near}}
          - {jtype: KeyValueIndexer}
    """
    both = Executor.load_config(text, runtime_args={"workspace": str(tmp_path)})

    assert isinstance(both, CompoundExecutor)
    assert [type(one).__name__ for one in both.components] == ["VectorIndexer", "KeyValueIndexer"]
    docs = DocumentBatch(["a"], {"embedding": TensorColumn(np.ones((1, 2)))})
    asyncio.run(both.component("near").index(docs))
    assert (both.component("near").count(), both.component("KeyValueIndexer").count()) == (1, 0)
    both.close()
