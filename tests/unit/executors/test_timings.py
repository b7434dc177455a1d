"""What an Executor measures of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from jina_cli.executors.base import Executor, ExecutorInvalid, monitor, requests
from jina_cli.executors.telemetry import NoMeter, Nothing, NoTracer


class Timed(Executor):
    @monitor()
    def plain(self, n: int) -> int:
        return n + 1

    @monitor(name="later_s", documentation="How long it takes")
    async def later(self) -> int:
        await asyncio.sleep(0)
        return 2

    @monitor()
    def yields(self) -> Iterator[int]:
        yield from (1, 2)

    @monitor()
    async def streams(self) -> AsyncIterator[int]:
        yield 1

    @monitor()
    def fails(self) -> None:
        raise LookupError

    @requests
    @monitor(name="whole")
    def go(self, docs: Any) -> None:
        with self.monitor("part", "Of it"):
            pass


def test_methods_of_every_kind_are_counted_under_their_names() -> None:
    timed = Timed()

    async def all() -> list[int]:
        return [await timed.later(), *[n async for n in timed.streams()]]

    assert [timed.plain(1), *timed.yields(), *asyncio.run(all())] == [2, 1, 2, 2, 1]

    known = timed.timings.all()
    counts = {name: timing.count for name, timing in known.items()}
    assert counts == {"plain_seconds": 1, "yields_seconds": 1, "later_s": 1, "streams_seconds": 1}
    assert known["plain_seconds"].documentation == "Time spent calling method plain"
    assert known["later_s"].documentation == "How long it takes"


def test_a_call_that_raises_counts_too() -> None:
    timed = Timed()

    for _ in range(2):
        with pytest.raises(LookupError):
            timed.fails()

    timing = timed.timings.all()["fails_seconds"]
    assert timing.count == 2
    assert timing.seconds > 0


def test_a_method_that_answers_requests_may_be_timed_and_a_stretch_of_it() -> None:
    timed = Timed()
    assert timed.requests == {"/default": "go"}

    timed.go(docs=None)

    assert {name: timing.count for name, timing in timed.timings.all().items()} == {
        "whole": 1,
        "part": 1,
    }
    assert Timed().timings.all() == {}


@pytest.mark.parametrize("name", ["my time", "größe", "a-b", " "])
def test_a_name_that_prometheus_does_not_take_is_refused_where_it_is_given(name: str) -> None:
    with pytest.raises(ExecutorInvalid, match=f"monitor: the name '{name}' has other signs"):
        monitor(name=name)
    with pytest.raises(ExecutorInvalid), Timed().monitor(name):
        raise AssertionError("was let in")


def test_a_tracer_and_a_meter_are_there_whether_or_not_anybody_listens() -> None:
    for tracer, meter in ((NoTracer(), NoMeter()), (Timed().tracer, Timed().meter)):
        with tracer.start_as_current_span("span") as span:
            span.set_attribute("key", 1)
        meter.create_counter("count").add(1)
        meter.create_histogram("times").record(0.5)

    with Nothing() as nothing:
        nothing.add_event("here")
