"""Streamed answers on their walk through the Pods, with Pods that are generators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from jina_cli.plan.models import Route
from jina_cli.serve.router import Router
from jina_cli.serve.walk import Walker
from jina_cli.wire.messages import Body, Format, Request, Response, Status, StatusCode

Parts = Callable[[str], list[Response]]
ALL = ("/default",)


def a_part(text: str) -> Response:
    return Response(body=Body(Format.PROTO, text.encode()))


def a_failure(code: StatusCode = StatusCode.EXECUTOR, **more: Any) -> Response:
    return Response(status=Status(code=code, description="boom", **more))


def doubled(text: str) -> list[Response]:
    return [a_part(f"{text}1"), a_part(f"{text}2")]


def passed(text: str) -> list[Response]:
    return [a_part(f"{text}.")]


class FakePod:
    """Yields what a function makes of the text it is given, and remembers how it went."""

    def __init__(self, name: str, parts: Parts, *, forever: bool = False) -> None:
        self.name = name
        self.asked: list[Request] = []
        self.closed = 0
        self.broadcasts = 0
        self._parts = parts
        self._forever = forever

    async def request(self, request: Request) -> Response:
        self.asked.append(request)
        texts = [bytes(body.data).decode() for body in request.bodies]
        found = [part.body.data for part in self._parts("+".join(texts))]
        return Response(body=Body(request.wanted, b" ".join(map(bytes, found))))

    async def broadcast(self, request: Request) -> Response:
        self.broadcasts += 1
        return await self.request(request)

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        self.asked.append(request)
        try:
            for part in self._parts(bytes(request.bodies[0].data).decode()):
                yield part
                await asyncio.sleep(0)
            if self._forever:
                await asyncio.Event().wait()
        finally:
            self.closed += 1


def a_route(pod: str, *needs: str, **more: Any) -> Route:
    return Route(pod=pod, needs=needs, addresses=(f"unix:/{pod}",), **more)


def a_walker(*pods: FakePod, routes: tuple[Route, ...] = (), **more: Any) -> Walker:
    names = [pod.name for pod in pods]
    chain = routes or tuple(
        a_route(name, *names[max(0, place - 1) : place]) for place, name in enumerate(names)
    )
    walker = Walker(chain, {pod.name: pod for pod in pods}, **{"deadline_s": 10.0, **more})
    walker.learn(Router(chain, dict.fromkeys(names, ALL)))
    return walker


def a_question(endpoint: str = "/talk", **more: Any) -> Request:
    body = Body(Format.PROTO, b"q")
    return Request(endpoint=endpoint, bodies=(body,), wanted=Format.PROTO, streamed=True, **more)


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 10))


def streamed(walker: Walker, question: Request | None = None) -> list[Response]:
    async def scenario() -> list[Response]:
        return [part async for part in walker.stream(question or a_question())]

    found: list[Response] = run(scenario())
    return found


def texts(parts: list[Response]) -> list[str]:
    return [bytes(part.body.data).decode() for part in parts]


def test_each_part_goes_on_through_the_next_pod_and_order_is_kept() -> None:
    a, b, c = FakePod("a", doubled), FakePod("b", passed), FakePod("c", doubled)

    parts = streamed(a_walker(a, b, c), a_question(request_id="7"))

    assert texts(parts) == ["q1.1", "q1.2", "q2.1", "q2.2"]
    assert {part.request_id for part in parts} == {"7"}
    assert [step.pod for step in parts[-1].routes] == ["gateway", "a", "b", "c"]
    assert all(request.streamed for pod in (a, b, c) for request in pod.asked)


def test_a_part_is_given_out_before_the_next_is_made() -> None:
    async def scenario() -> list[str]:
        a, b = FakePod("a", doubled, forever=True), FakePod("b", passed)
        found = []
        async with aclosing(a_walker(a, b).stream(a_question())) as parts:
            async for part in parts:
                found.append(bytes(part.body.data).decode())
                if len(found) == 2:
                    break
        return found

    assert run(scenario()) == ["q1.", "q2."]


def test_closing_the_stream_closes_the_work_of_all_pods_and_frees_their_places() -> None:
    async def scenario() -> None:
        a, b = FakePod("a", doubled, forever=True), FakePod("b", passed, forever=True)
        walker = a_walker(a, b, max_queue=1)
        parts = walker.stream(a_question())
        await anext(parts)
        await parts.aclose()
        assert (a.closed, b.closed, walker.pending) == (1, 1, 0)
        async with aclosing(walker.stream(a_question())) as again:
            assert (await anext(again)).status.ok

    run(scenario())


def test_cancelling_who_reads_closes_the_work_of_all_pods() -> None:
    async def scenario() -> None:
        pods = [FakePod("a", doubled), FakePod("b", lambda text: [], forever=True)]

        async def read() -> None:
            async with aclosing(a_walker(*pods).stream(a_question())) as parts:
                async for _ in parts:
                    pass

        reading = asyncio.create_task(read())
        while not pods[1].asked:
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert [pod.closed for pod in pods] == [1, 1]

    run(scenario())


def test_a_failure_is_the_last_part_and_ends_the_pods_before_it() -> None:
    a = FakePod("a", lambda text: [a_part(f"{text}{n}") for n in range(100)])
    b = FakePod("b", lambda text: passed(text) if text < "q2" else [a_failure(executor="Mine")])

    parts = streamed(a_walker(a, b))

    assert texts(parts) == ["q0.", "q1.", ""]
    assert parts[-1].status == Status(
        code=StatusCode.EXECUTOR, description="boom", executor="Mine", pod="b"
    )
    assert a.closed == 1
    assert len(b.asked) == 3


def test_a_full_pod_ends_the_stream() -> None:
    (part,) = streamed(a_walker(FakePod("a", doubled), max_queue=0))

    assert (part.status.code, part.status.pod) == (StatusCode.OVERLOADED, "a")


def test_an_unknown_endpoint_is_one_part() -> None:
    walker = a_walker(FakePod("a", doubled))
    walker.learn(Router((a_route("a"),), {"a": ("/index",)}))

    (part,) = streamed(walker)

    assert part.status.code is StatusCode.NOT_FOUND


def test_where_branches_meet_the_answer_is_one_part_with_all() -> None:
    pods = [FakePod("left", doubled), FakePod("right", passed), FakePod("join", passed)]
    routes = (a_route("left"), a_route("right"), a_route("join", "left", "right"))

    (part,) = streamed(a_walker(*pods, routes=routes))

    assert bytes(part.body.data) == b"q1 q2+q.."
    assert not any(request.streamed for pod in pods for request in pod.asked)


def test_training_goes_to_every_replica_though_it_is_streamed() -> None:
    pod = FakePod("a", passed)

    streamed(a_walker(pod), a_question("/train"))

    assert pod.broadcasts == 1


def test_what_is_missing_is_told_with_the_parts_or_after_them() -> None:
    marks = {"total_shards": "3", "failed_shards": "1"}
    a = FakePod("a", lambda text: [a_part("x"), Response(marks=marks)])
    b = FakePod("b", lambda text: [*passed(text), Response(marks=marks)])

    alone, together = streamed(a_walker(a)), streamed(a_walker(a, b))

    assert texts(alone) == ["x", ""]
    assert [dict(part.marks) for part in alone] == [{}, marks]
    assert dict(together[-1].marks) == {"total_shards": "6", "failed_shards": "2"}


def test_results_of_executors_gather_as_the_parts_come() -> None:
    def counted(text: str) -> list[Response]:
        results = {"__results__": {"a/rep-0": {"count": len(text)}}}
        return [Response(body=Body(Format.PROTO, b"x"), parameters=results)]

    (part,) = streamed(a_walker(FakePod("a", counted)), a_question(parameters={"k": 1}))

    assert part.parameters == {"k": 1, "__results__": {"a/rep-0": {"count": 1}}}
