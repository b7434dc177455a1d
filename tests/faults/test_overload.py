"""Fault: ten times what can be answered, on each protocol. Bounded queues, honest refusals.

OVERLOAD_S says for how many seconds on each protocol.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.testing.askers import PROTOCOLS, Outcome
from tests.testing.overload import WITHIN_S, storm
from tests.testing.processes import Jinas
from tests.testing.serving import Serving, a_flow_on_all

SECONDS = float(os.environ.get("OVERLOAD_S", "3"))
CAPACITY = 50.0
QUEUE = 16
LEAST = 0.6
"""Of the questions meant to be asked, those that a busy machine must get to ask."""

GROWTH = 1.10
SLACK = 6 * 2**20

SLOW = f"""
import os
import time
from jina import Executor, requests

class Slow(Executor):
    @requests
    def work(self, docs, **kwargs):
        time.sleep({1 / CAPACITY})
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("overload")
    with Jinas(folder) as jina:
        yield a_flow_on_all(jina, folder, SLOW, "Slow", max_queue=QUEUE)


class _Watch:
    """Looks at a Flow now and then.

    Attributes:
        queued: The most requests that the Executor's process had at a time.
        looks: How often that was seen.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._over = threading.Event()
        self.queued = 0
        self.looks = 0

    def run(self) -> None:
        while not self._over.wait(0.05):
            found = self._serving.pending()
            self.looks += 1
            self.queued = max(self.queued, found)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


@pytest.mark.timeout(60 + 10 * SECONDS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_over_capacity_is_refused_and_the_rest_is_answered_in_time(
    serving: Serving, protocol: str
) -> None:
    address = serving.addresses[protocol]
    asyncio.run(storm(protocol, address, rate=10 * CAPACITY, seconds=1))
    before, watch = serving.rss(), _Watch(serving)

    with watch.watching():
        found = asyncio.run(storm(protocol, address, rate=10 * CAPACITY, seconds=SECONDS))

    after = serving.rss()
    told = f"{protocol}: {found.described()}, at most {watch.queued} at the Executor"
    print(told, {pid: f"{(after[pid] - size) / 2**20:+.1f} MB" for pid, size in before.items()})
    assert found.rate >= LEAST * 10 * CAPACITY, told
    assert found.outcomes[Outcome.FAILED] == found.outcomes[Outcome.LATE] == 0, told
    assert found.outcomes[Outcome.REFUSED] > 2 * found.outcomes[Outcome.ANSWERED] > 0, told
    assert watch.looks, told
    assert watch.queued <= QUEUE, told
    assert found.p99_s < WITHIN_S, told
    assert found.recovered_s < WITHIN_S, told
    assert before.keys() == after.keys(), "a process was started again"
    for pid, size in before.items():
        assert after[pid] < GROWTH * size + SLACK, f"{pid} grew from {size} to {after[pid]}"
