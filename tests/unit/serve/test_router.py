"""The way of a request through a Flow, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from jina_cli.plan.models import Route
from jina_cli.serve.router import ROOT, Itinerary, Router, Step
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import Format, Status, StatusCode

ALL = ("/default",)


def a_route(pod: str, *needs: str, **more: Any) -> Route:
    return Route(pod=pod, needs=needs, addresses=(f"unix:/{pod}",), **more)


CHAIN = (a_route("craft"), a_route("encode", "craft"), a_route("index", "encode"))
DIAMOND = (
    a_route("craft"),
    a_route("text", "craft"),
    a_route("image", "craft"),
    a_route("join", "text", "image"),
)
TWO_ROOTS = (a_route("text"), a_route("image"), a_route("join", "text", "image"))
FLOATING = (
    a_route("encode"),
    a_route("audit", "encode", floating=True),
    a_route("index", "encode"),
)

# name: (routes, endpoints of each Pod, endpoint, [(pod, sources)], last)
WAYS: dict[str, tuple[tuple[Route, ...], dict[str, tuple[str, ...]], str, list[Any], str]] = {
    "all Pods in order": (
        CHAIN,
        {"craft": ALL, "encode": ("/search",), "index": ("/search",)},
        "/search",
        [("craft", (ROOT,)), ("encode", ("craft",)), ("index", ("encode",))],
        "index",
    ),
    "a Pod that does not serve the endpoint is passed by": (
        CHAIN,
        {"craft": ALL, "encode": ("/index",), "index": ("/search",)},
        "/search",
        [("craft", (ROOT,)), ("index", ("craft",))],
        "index",
    ),
    "the first that serves gets the request": (
        CHAIN,
        {"craft": (), "encode": ("/index",), "index": ("/status",)},
        "/status",
        [("index", (ROOT,))],
        "index",
    ),
    "the last that serves gives the answer": (
        CHAIN,
        {"craft": ALL, "encode": ("/encode",), "index": ("/search",)},
        "/encode",
        [("craft", (ROOT,)), ("encode", ("craft",))],
        "encode",
    ),
    "a join gets both answers": (
        DIAMOND,
        dict.fromkeys(("craft", "text", "image", "join"), ALL),
        "/search",
        [
            ("craft", (ROOT,)),
            ("text", ("craft",)),
            ("image", ("craft",)),
            ("join", ("text", "image")),
        ],
        "join",
    ),
    "a branch that was passed by adds nothing to a join": (
        DIAMOND,
        {"craft": ALL, "text": ("/search",), "image": (), "join": ALL},
        "/search",
        [("craft", (ROOT,)), ("text", ("craft",)), ("join", ("text",))],
        "join",
    ),
    "a join that does not serve the endpoint still merges": (
        TWO_ROOTS,
        {"text": ALL, "image": ALL, "join": ("/index",)},
        "/search",
        [("text", (ROOT,)), ("image", (ROOT,)), ("join", ("text", "image"))],
        "join",
    ),
    "a join with one branch left need not merge": (
        TWO_ROOTS,
        {"text": ALL, "image": ("/index",), "join": ("/index",)},
        "/search",
        [("text", (ROOT,))],
        "text",
    ),
    "what the client sent can be asked for by name": (
        (a_route("text"), a_route("join", "gateway", "text")),
        {"text": ALL, "join": ALL},
        "/search",
        [("text", (ROOT,)), ("join", (ROOT, "text"))],
        "join",
    ),
    "a floating Pod is visited and gives no answer": (
        FLOATING,
        {"encode": ALL, "audit": ALL, "index": ("/index",)},
        "/search",
        [("encode", (ROOT,)), ("audit", ("encode",))],
        "encode",
    ),
    "only a floating Pod serves it": (
        FLOATING,
        {"encode": ("/index",), "audit": ("/log",), "index": ("/index",)},
        "/log",
        [("audit", (ROOT,))],
        ROOT,
    ),
    "a dry run goes everywhere": (
        CHAIN,
        {"craft": (), "encode": ("/index",), "index": ()},
        DRY_RUN_ENDPOINT,
        [("craft", (ROOT,)), ("encode", ("craft",)), ("index", ("encode",))],
        "index",
    ),
}


def itinerary_of(router: Router, endpoint: str, target: str = "") -> Itinerary:
    found = router.itinerary(endpoint, target)
    assert isinstance(found, Itinerary), found
    return found


@pytest.mark.parametrize("name", WAYS)
def test_a_request_takes_the_way(name: str) -> None:
    routes, serves, endpoint, steps, last = WAYS[name]

    way = itinerary_of(Router(routes, serves), endpoint)

    assert ([(step.pod, step.sources) for step in way.steps], way.last) == (steps, last)


def test_a_join_that_only_merges_is_marked() -> None:
    router = Router(TWO_ROOTS, {"text": ALL, "image": ALL, "join": ("/index",)})

    steps = itinerary_of(router, "/search").steps

    assert [step.serves for step in steps] == [True, True, False]


@pytest.mark.parametrize(
    ("routes", "is_chain", "is_forked"),
    [(CHAIN, True, False), (DIAMOND, False, False), (TWO_ROOTS, False, True)],
)
def test_the_shape_of_a_way_is_known(
    routes: tuple[Route, ...], is_chain: bool, is_forked: bool
) -> None:
    router = Router(routes, {route.pod: ALL for route in routes})

    way = itinerary_of(router, "/x")

    assert (way.is_chain, way.is_forked) == (is_chain, is_forked)


def test_a_way_with_a_floating_pod_is_no_chain() -> None:
    way = itinerary_of(Router(FLOATING, dict.fromkeys(("encode", "audit", "index"), ALL)), "/x")

    assert not way.is_chain
    assert [step.awaited for step in way.steps] == [True, False, True]


def test_the_last_answers_as_the_client_wants_and_the_others_in_columns() -> None:
    way = itinerary_of(Router(CHAIN, dict.fromkeys(("craft", "encode", "index"), ALL)), "/x")

    assert [step.format for step in way.steps] == [Format.COLUMNS, Format.COLUMNS, None]


def test_what_an_external_pod_is_given_is_in_the_standard_form() -> None:
    routes = (a_route("craft"), a_route("far", "craft", external=True))

    way = itinerary_of(Router(routes, {"craft": ALL, "far": ALL}), "/x")

    assert [step.format for step in way.steps] == [Format.PROTO, None]


def test_a_target_selects_pods_by_the_start_of_their_names() -> None:
    router = Router(CHAIN, dict.fromkeys(("craft", "encode", "index"), ALL))

    way = itinerary_of(router, "/x", "enc|index$")

    assert way.steps == (
        Step(pod="encode", sources=(ROOT,)),
        Step(pod="index", sources=("encode",), format=None),
    )


SERVES: Mapping[str, tuple[str, ...]] = {
    "craft": ("/index", "/search"),
    "encode": ("/index", "/search"),
    "index": ("/index", "/search", "/status"),
}
REFUSALS = {
    "misspelt": (
        ("/serach", ""),
        StatusCode.NOT_FOUND,
        "no Executor serves /serach; did you mean /search?",
    ),
    "unlike any": (
        ("/zzz", ""),
        StatusCode.NOT_FOUND,
        "no Executor serves /zzz; there are /index, /search, /status",
    ),
    "target of nobody": (
        ("/status", "encode"),
        StatusCode.NOT_FOUND,
        "no Pod that serves /status matches the target 'encode': index",
    ),
    "bad expression": (
        ("/search", "(encode"),
        StatusCode.INVALID,
        "target '(encode' is no expression: missing ), unterminated subpattern at position 0",
    ),
    "expensive expression": (
        ("/search", "(e+)+$"),
        StatusCode.INVALID,
        "target '(e+)+$' is too complex",
    ),
    "many repetitions": (
        ("/search", "e?e?e?e?e?eeeee"),
        StatusCode.INVALID,
        "target 'e?e?e?e?e?eeeee' is too complex",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_request_is_refused_when(name: str) -> None:
    (endpoint, target), code, description = REFUSALS[name]

    refused = Router(CHAIN, SERVES).itinerary(endpoint, target)

    assert refused == Status(code=code, description=description)


def test_a_router_that_knows_no_pods_says_only_what_is_missing() -> None:
    refused = Router(CHAIN, {}).itinerary("/search")

    assert refused == Status(code=StatusCode.NOT_FOUND, description="no Executor serves /search")


def test_many_targets_do_not_fill_the_memory() -> None:
    router = Router(CHAIN, SERVES)

    for number in range(1000):
        router.itinerary("/search", f"encode{number}|index")

    assert len(router._cache) <= 256
