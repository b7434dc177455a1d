"""Fault: more requests than can be answered, on each protocol. Bounded queues, honest refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.testing.askers import PROTOCOLS, Outcome
from tests.testing.overload import WITHIN_S, storm
from tests.testing.processes import Jinas
from tests.testing.serving import a_flow_on_all

CAPACITY = 100.0
QUEUE = 32
MEMORY_SLACK = 30 * 2**20


SLOW = f"""
import time
from jina import Executor, requests

class Slow(Executor):
    @requests
    def work(self, docs, **kwargs):
        time.sleep({1 / CAPACITY})
"""


@pytest.mark.timeout(120)
def test_what_is_over_capacity_is_refused_and_the_rest_is_answered_in_time(
    jina: Jinas, tmp_path: Path
) -> None:
    slow = a_flow_on_all(jina, tmp_path, SLOW, "Slow", max_queue=QUEUE)
    addresses = slow.addresses
    for protocol in PROTOCOLS:
        asyncio.run(storm(protocol, addresses[protocol], rate=CAPACITY / 4, seconds=0.5))
    before = slow.rss()
    for protocol in PROTOCOLS:
        found = asyncio.run(storm(protocol, addresses[protocol], rate=10 * CAPACITY, seconds=3))
        told = f"{protocol}: {found.described()}"

        assert found.outcomes[Outcome.FAILED] == 0, told
        assert found.outcomes[Outcome.LATE] == 0, told
        assert found.outcomes[Outcome.REFUSED] > found.outcomes[Outcome.ANSWERED] > 0, told
        assert found.p99_s < WITHIN_S, told
        assert found.recovered_s < WITHIN_S, told
    after = slow.rss()

    assert before.keys() == after.keys(), "a process was started again"
    grown = {
        pid: after[pid] - before[pid] for pid in after if after[pid] > before[pid] + MEMORY_SLACK
    }
    assert not grown, f"{ {psutil.Process(pid).name(): size for pid, size in grown.items()} }"
