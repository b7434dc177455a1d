"""Whether the documents of chained Executors fit, by their schemas."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from docarray import BaseDoc, DocList
from docarray.typing import AnyTensor, ImageUrl, NdArray

from jina_cli.documents.document import Document
from jina_cli.plan.models import Route
from jina_cli.serve.schemas import differences, misfit
from jina_cli.wire.messages import EndpointInfo


class Inner(BaseDoc):
    x: int = 0


class Text(BaseDoc):
    text: str


class Vector(BaseDoc):
    vector: NdArray[4]  # type: ignore[type-arg]


class Wide(BaseDoc):
    vector: NdArray[8]  # type: ignore[type-arg]


class Loose(BaseDoc):
    vector: AnyTensor


class TextAndVector(BaseDoc):
    text: str
    vector: NdArray[4]  # type: ignore[type-arg]


class Lenient(BaseDoc):
    text: Optional[str] = None  # noqa: UP045
    vector: AnyTensor | None = None


class Words(BaseDoc):
    text: list[str]


class Parts(BaseDoc):
    parts: DocList[Inner]


class PartNumbers(BaseDoc):
    parts: list[float]


class PartDoc(BaseDoc):
    parts: Inner


class Count(BaseDoc):
    n: int


class Share(BaseDoc):
    n: float | None = None


class Named(BaseDoc):
    n: str


class Untold(BaseDoc):
    n: Any = None


class Picture(BaseDoc):
    text: ImageUrl


def info(taken: type[BaseDoc] | None, given: type[BaseDoc] | None) -> EndpointInfo:
    return EndpointInfo(
        input={} if taken is None else taken.model_json_schema(),
        output={} if given is None else given.model_json_schema(),
    )


FIT: list[tuple[type[BaseDoc] | None, type[BaseDoc] | None]] = [
    (Text, Text),
    (Text, Lenient),
    (Lenient, Text),
    (Loose, Vector),
    (Vector, Loose),
    (Document, Vector),
    (Vector, Document),
    (None, Vector),
    (Vector, None),
    (Count, Share),
    (Share, Count),
    (Named, Untold),
    (Untold, Count),
    (Text, Picture),
    (TextAndVector, Text),
    (Parts, Parts),
]


@pytest.mark.parametrize(("given", "taken"), FIT)
def test_documents_that_may_fit_are_let_through(
    given: type[BaseDoc] | None, taken: type[BaseDoc] | None
) -> None:
    assert differences(info(given, given), info(taken, taken)) is None


MISFITS: dict[str, tuple[type[BaseDoc], type[BaseDoc]]] = {
    "Vector needs the field 'vector', and Text has none": (Text, Vector),
    "'text' is a string in Text, and a list in Words": (Text, Words),
    "'vector' is a tensor of shape [4] in Vector, and a tensor of shape [8] in Wide": (
        Vector,
        Wide,
    ),
    "'parts' is a list of objects in Parts, and a list of numbers in PartNumbers": (
        Parts,
        PartNumbers,
    ),
    "'parts' is a list of objects in Parts, and an object (Inner) in PartDoc": (Parts, PartDoc),
    "'n' is a string in Named, and a number in Count": (Named, Count),
}


@pytest.mark.parametrize("message", MISFITS)
def test_what_cannot_fit_is_named(message: str) -> None:
    given, taken = MISFITS[message]

    assert differences(info(given, given), info(taken, taken)) == message


def test_a_field_that_the_leader_was_given_may_be_left_on_the_document() -> None:
    assert differences(info(TextAndVector, Text), info(Vector, None)) is None


def flow(*infos: EndpointInfo | None, **fields: Any) -> str | None:
    """Check a chain of Pods `a`, `b`, …; None serves nothing that is asked for."""
    names = "abcdef"[: len(infos)]
    routes = tuple(
        Route(pod=name, needs=(names[i - 1],) if i else (), addresses=(), **fields)
        for i, name in enumerate(names)
    )
    endpoints = {
        name: {"/index": one} if one is not None else {"/other": EndpointInfo()}
        for name, one in zip(names, infos, strict=True)
    }
    return misfit(routes, endpoints)


def test_both_pods_the_endpoint_and_the_field_are_named() -> None:
    assert flow(info(Text, Text), info(Vector, Vector)) == (
        "a and b do not fit on /index: Vector needs the field 'vector', and Text has none"
    )


def test_a_pod_that_does_not_serve_the_endpoint_stands_between_nobody() -> None:
    assert flow(info(Text, Text), None, info(Vector, Vector)) == (
        "a and c do not fit on /index: Vector needs the field 'vector', and Text has none"
    )


def test_a_field_may_come_from_any_pod_before() -> None:
    assert flow(info(TextAndVector, Text), info(Text, Text), info(Vector, None)) is None


def test_after_a_pod_that_takes_anything_a_document_may_have_any_field() -> None:
    assert flow(info(Document, Text), info(Text, Text), info(Vector, None)) is None


def test_answers_that_stay_apart_are_not_judged() -> None:
    assert flow(info(Text, Text), info(Vector, Vector), no_reduce=True) is None


def test_of_several_answers_one_may_bring_what_the_others_do_not() -> None:
    routes = (
        Route(pod="a", needs=(), addresses=()),
        Route(pod="b", needs=(), addresses=()),
        Route(pod="c", needs=("a", "b"), addresses=()),
    )
    endpoints = {
        "a": {"/x": info(Text, Text)},
        "b": {"/x": info(Vector, Vector)},
        "c": {"/x": info(TextAndVector, None)},
    }

    assert misfit(routes, endpoints) is None


def join(*leaders: EndpointInfo, needs: tuple[str, ...] = ("a", "b"), **fields: Any) -> str | None:
    """Check Pods `a` and `b` whose answers are merged for `c`, which takes a vector."""
    routes = (
        Route(pod="a", needs=(), addresses=()),
        Route(pod="b", needs=(), addresses=()),
        Route(pod="c", needs=needs, addresses=(), **fields),
    )
    infos = (*leaders, info(Vector, None))
    return misfit(routes, {name: {"/x": one} for name, one in zip("abc", infos, strict=True)})


def test_a_field_that_none_of_several_brings_is_named_with_all_of_them() -> None:
    assert join(info(Text, Text), info(Count, Words)) == (
        "a, b and c do not fit on /x: Vector needs the field 'vector', "
        "and none of Text, Words has it"
    )


def test_merged_answers_are_let_through_where_the_field_may_come_from_somewhere() -> None:
    assert join(info(Text, Text), info(Text, Vector)) is None
    assert join(info(Text, Text), info(TextAndVector, Text)) is None
    assert join(info(Text, Text), info(None, None)) is None
    assert join(info(Text, Text), info(Text, Text), no_reduce=True) is None
    assert join(info(Text, Text), info(Text, Text), needs=("a", "b", "gateway")) is None


def test_who_serves_the_endpoint_as_the_default_is_not_judged() -> None:
    routes = (Route(pod="a", needs=(), addresses=()), Route(pod="b", needs=("a",), addresses=()))
    default = {"/default": info(Vector, Vector)}

    assert misfit(routes, {"a": {"/x": info(Text, Text)}, "b": default}) is None
    assert misfit(routes, {"a": default, "b": {"/x": info(Text, Text)}}) is None
