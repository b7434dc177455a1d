"""The walk through the Pods, with Pods that are functions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest

from jina_cli.plan.models import Route
from jina_cli.serve.router import Router
from jina_cli.serve.walk import Walker
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import EMPTY, Body, Format, Request, Response, Status, StatusCode

Answer = Callable[[Request], Awaitable[Response]]
ALL = ("/default",)


class FakePod:
    """Answers with its name behind what it was given; remembers what it was asked."""

    def __init__(self, name: str, answer: Answer | None = None) -> None:
        self.name = name
        self.asked: list[Request] = []
        self.broadcasts = 0
        self._answer = answer

    async def request(self, request: Request) -> Response:
        self.asked.append(request)
        if self._answer is not None:
            return await self._answer(request)
        text = b"+".join(bytes(body.data) for body in request.bodies) + b">" + self.name.encode()
        return Response(body=Body(request.wanted, text), parameters=request.parameters)

    async def broadcast(self, request: Request) -> Response:
        self.broadcasts += 1
        return await self.request(request)

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        yield await self.request(request)


def a_route(pod: str, *needs: str, **more: Any) -> Route:
    return Route(pod=pod, needs=needs, addresses=(f"unix:/{pod}",), **more)


def a_walker(*pods: FakePod, routes: tuple[Route, ...] = (), **more: Any) -> Walker:
    """Return a walker over `pods`, one after another where no routes are given."""
    names = [pod.name for pod in pods]
    chain = routes or tuple(
        a_route(name, *names[max(0, place - 1) : place]) for place, name in enumerate(names)
    )
    walker = Walker(chain, {pod.name: pod for pod in pods}, **{"deadline_s": 10.0, **more})
    walker.learn(Router(chain, dict.fromkeys(names, ALL)))
    return walker


def a_walker_that_waits(pod: FakePod, **more: Any) -> Walker:
    """Return a walker whose Pod has not said yet what it serves."""
    return Walker((a_route(pod.name),), {pod.name: pod}, **{"deadline_s": 10.0, **more})


def a_question(endpoint: str = "/search", **more: Any) -> Request:
    body = Body(Format.PROTO, b"q")
    return Request(endpoint=endpoint, bodies=(body,), wanted=Format.PROTO, **more)


def failing(code: StatusCode, **more: Any) -> Answer:
    async def answer(request: Request) -> Response:
        return Response(status=Status(code=code, **more))

    return answer


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 10))


def test_a_chain_is_visited_in_order_and_each_gets_what_the_one_before_answered() -> None:
    a, b, c = FakePod("a"), FakePod("b"), FakePod("c")

    response = run(a_walker(a, b, c).answer(a_question(request_id="7")))

    assert (response.status.ok, response.request_id) == (True, "7")
    assert response.body == Body(Format.PROTO, b"q>a>b>c")
    assert [step.pod for step in response.routes] == ["gateway", "a", "b", "c"]
    assert [pod.asked[0].wanted for pod in (a, b, c)] == [
        Format.COLUMNS,
        Format.COLUMNS,
        Format.PROTO,
    ]


def test_a_join_gets_both_answers_in_the_order_of_its_needs() -> None:
    pods = [FakePod(name) for name in ("a", "left", "right", "join")]
    routes = (
        a_route("a"),
        a_route("left", "a"),
        a_route("right", "a"),
        a_route("join", "right", "left"),
    )

    response = run(a_walker(*pods, routes=routes).answer(a_question()))

    assert response.body.data == b"q>a>right+q>a>left>join"


def test_branches_are_worked_on_at_the_same_time() -> None:
    met = asyncio.Barrier(2)

    async def meet(request: Request) -> Response:
        await met.wait()
        return Response(body=Body(Format.COLUMNS, b"x"))

    pods = [FakePod("left", meet), FakePod("right", meet), FakePod("join")]
    routes = (a_route("left"), a_route("right"), a_route("join", "left", "right"))

    assert run(a_walker(*pods, routes=routes).answer(a_question())).status.ok


def test_the_first_failure_ends_the_walk_and_names_the_pod() -> None:
    a = FakePod("a", failing(StatusCode.EXECUTOR, description="boom", executor="Mine"))
    b = FakePod("b")

    response = run(a_walker(a, b).answer(a_question()))

    assert response.status == Status(
        code=StatusCode.EXECUTOR, description="boom", executor="Mine", pod="a"
    )
    assert response.body.data == b"q"
    assert b.asked == []


def test_a_failure_in_one_branch_cancels_the_others() -> None:
    cancelled = []

    async def hang(request: Request) -> Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(request)
            raise
        raise AssertionError

    pods = [
        FakePod("left", hang),
        FakePod("right", failing(StatusCode.UNAVAILABLE, description="gone")),
        FakePod("join"),
    ]
    routes = (a_route("left"), a_route("right"), a_route("join", "left", "right"))

    response = run(a_walker(*pods, routes=routes).answer(a_question()))

    assert response.status.description == "right: gone"
    assert len(cancelled) == 1


def test_a_bug_in_a_branch_is_not_taken_for_an_answer() -> None:
    async def broken(request: Request) -> Response:
        raise ZeroDivisionError

    pods = [FakePod("left", broken), FakePod("right"), FakePod("join")]
    routes = (a_route("left"), a_route("right"), a_route("join", "left", "right"))

    with pytest.raises(ExceptionGroup) as caught:
        run(a_walker(*pods, routes=routes).answer(a_question()))

    assert caught.group_contains(ZeroDivisionError)


def test_nobody_waits_for_a_floating_pod_and_its_failure_hurts_nobody() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def late(request: Request) -> Response:
            await gate.wait()
            return Response(status=Status(code=StatusCode.EXECUTOR, description="boom"))

        audit = FakePod("audit", late)
        routes = (a_route("a"), a_route("audit", "a", floating=True), a_route("b", "a"))
        walker = a_walker(FakePod("a"), audit, FakePod("b"), routes=routes)

        response = await walker.answer(a_question())
        left = await walker.settle(0.0)

        assert response.body.data == b"q>a>b"
        assert [bytes(request.bodies[0].data) for request in audit.asked] == [b"q>a"]
        assert left == 1

    run(scenario())


def test_settling_waits_for_floating_pods_that_end() -> None:
    async def scenario() -> int:
        routes = (a_route("a"), a_route("audit", "a", floating=True))
        walker = a_walker(FakePod("a"), FakePod("audit"), routes=routes)
        await walker.answer(a_question())
        return await walker.settle(5.0)

    assert run(scenario()) == 0


def test_a_full_pod_refuses_one_more_and_takes_others_later() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def wait(request: Request) -> Response:
            await gate.wait()
            return Response()

        walker = a_walker(FakePod("a", wait), max_queue=2)
        waiting = [asyncio.create_task(walker.answer(a_question())) for _ in range(2)]
        await asyncio.sleep(0)

        refused = await walker.answer(a_question())
        gate.set()
        answered = await asyncio.gather(*waiting)
        later = await walker.answer(a_question())

        assert refused.status == Status(
            code=StatusCode.OVERLOADED,
            description="a: 2 requests are waiting, which is the limit",
            pod="a",
        )
        assert refused.body.data == b""
        assert all(one.status.ok for one in (*answered, later))
        assert walker.pending == 0

    run(scenario())


def test_training_goes_to_every_replica() -> None:
    pod = FakePod("a")

    run(a_walker(pod).answer(a_question("/train")))

    assert pod.broadcasts == 1


def test_a_pod_that_only_merges_is_asked_to_do_nothing_else() -> None:
    pods = [FakePod("left"), FakePod("right"), FakePod("join")]
    routes = (a_route("left"), a_route("right"), a_route("join", "left", "right"))
    walker = a_walker(*pods, routes=routes)
    walker.learn(Router(routes, {"left": ALL, "right": ALL, "join": ("/index",)}))

    run(walker.answer(a_question()))

    assert pods[2].asked[0].endpoint == DRY_RUN_ENDPOINT
    assert pods[0].asked[0].endpoint == "/search"


def test_each_pod_gets_its_own_parameters_and_the_client_gets_all_results() -> None:
    async def counted(request: Request) -> Response:
        results = {"a/rep-0": {"count": 3}}
        return Response(parameters={**request.parameters, "__results__": results})

    a, b = FakePod("a", counted), FakePod("b")
    sent = {"a__size": 1, "b__size": 2, "top_k": 5}

    response = run(a_walker(a, b).answer(a_question(parameters=sent)))

    assert a.asked[0].parameters == {"size": 1, "top_k": 5}
    assert b.asked[0].parameters == {
        "size": 2,
        "top_k": 5,
        "__results__": {"a/rep-0": {"count": 3}},
    }
    assert response.parameters == {**sent, "__results__": {"a/rep-0": {"count": 3}}}


def test_a_request_without_a_deadline_gets_the_flows() -> None:
    pod = FakePod("a")

    run(a_walker(pod, deadline_s=5.0).answer(a_question()))

    deadline = pod.asked[0].deadline
    assert deadline is not None
    assert 4.0 < deadline - time.monotonic() <= 5.0


def test_a_step_with_a_bound_of_its_own_gets_the_nearer_of_both() -> None:
    pod = FakePod("a")
    routes = (a_route("a", timeout_s=2.0),)
    now = time.monotonic()

    walker = a_walker(pod, routes=routes)
    run(walker.answer(a_question(deadline=now + 1.0)))
    run(walker.answer(a_question(deadline=now + 60.0)))

    near, far = (request.deadline for request in pod.asked)
    assert near == now + 1.0
    assert far is not None
    assert far < now + 4.0


def test_a_request_that_comes_before_the_pods_are_known_waits_for_them() -> None:
    async def scenario() -> Response:
        pod = FakePod("a")
        routes = (a_route("a"),)
        walker = Walker(routes, {"a": pod}, deadline_s=10.0)
        asking = asyncio.create_task(walker.answer(a_question()))
        await asyncio.sleep(0)
        walker.learn(Router(routes, {"a": ALL}))
        return await asking

    assert run(scenario()).status.ok


def test_a_request_whose_deadline_ends_before_the_pods_are_known_is_told_so() -> None:
    walker = Walker((a_route("a"),), {"a": FakePod("a")}, deadline_s=0.01)

    response = run(walker.answer(a_question()))

    assert response.status == Status(
        code=StatusCode.UNAVAILABLE, description="the Flow is still starting"
    )


def test_documents_without_ids_get_them_before_they_part() -> None:
    left, right, join = FakePod("left"), FakePod("right"), FakePod("join")
    routes = (a_route("left"), a_route("right"), a_route("join", "left", "right"))
    body = Body(Format.JSON, b'[{"text":"a"},{"id":"7","text":"b"}]')

    run(a_walker(left, right, join, routes=routes).answer(Request(endpoint="/x", bodies=(body,))))

    assert left.asked[0].bodies == right.asked[0].bodies
    assert b'"id":"7"' in left.asked[0].bodies[0].data
    assert bytes(left.asked[0].bodies[0].data).count(b'"id"') == 2


@pytest.mark.parametrize("data", [b"{", b"{}", b'[{"id":"1"}]', b"[1]"])
def test_a_body_that_needs_no_ids_is_passed_on_as_it_came(data: bytes) -> None:
    left, right, join = FakePod("left"), FakePod("right"), FakePod("join")
    routes = (a_route("left"), a_route("right"), a_route("join", "left", "right"))
    body = Body(Format.JSON, data)

    run(a_walker(left, right, join, routes=routes).answer(Request(endpoint="/x", bodies=(body,))))

    assert left.asked[0].bodies[0].data == data


def test_an_unknown_endpoint_gives_the_documents_back_and_visits_nobody() -> None:
    pod = FakePod("a")
    walker = a_walker(pod)
    walker.learn(Router((a_route("a"),), {"a": ("/search",)}))

    response = run(walker.answer(a_question("/serach")))

    assert response.status.code is StatusCode.NOT_FOUND
    assert response.body.data == b"q"
    assert pod.asked == []


def test_no_more_than_max_queue_requests_wait_for_the_flow_to_start() -> None:
    async def scenario() -> tuple[list[Response], list[Response], int]:
        pod = FakePod("a")
        walker = a_walker_that_waits(pod, max_queue=3)
        asking = [asyncio.create_task(walker.answer(a_question())) for _ in range(5)]
        refused, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert pod.asked == []
        walker.learn(Router((a_route("a"),), {"a": ALL}))
        return (
            [one.result() for one in refused],
            list(await asyncio.gather(*waiting)),
            len(pod.asked),
        )

    refused, answered, asked = run(scenario())

    assert [one.status.code for one in refused] == [StatusCode.OVERLOADED] * 2
    assert refused[0].status.description == (
        "3 requests wait for the Flow to start, which is the limit"
    )
    assert [one.status.ok for one in answered] == [True] * 3
    assert asked == 3


def test_a_request_waits_for_the_flow_to_start_no_longer_than_its_deadline() -> None:
    response = run(a_walker_that_waits(FakePod("a"), deadline_s=0.02).answer(a_question()))

    assert response.status.code is StatusCode.UNAVAILABLE
    assert response.status.description == "the Flow is still starting"


def test_a_dry_run_of_a_flow_whose_pods_all_float_has_an_answer() -> None:
    audit = FakePod("audit")
    walker = a_walker(audit, routes=(a_route("audit", floating=True),))

    async def scenario() -> Response:
        answer = await walker.answer(a_question(DRY_RUN_ENDPOINT))
        await walker.settle(5)
        return answer

    assert run(scenario()).status.ok
    assert audit.asked[0].bodies == (EMPTY,)
