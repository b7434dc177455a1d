"""Where a worker's answers are computed: in the event loop, in a thread, or in groups."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import orjson

from jina_cli.executors.endpoints import Batching
from jina_cli.runtime.batching import Batcher
from jina_cli.runtime.lane import Begun, Lane, Pace
from jina_cli.runtime.worker import Opened, Worker
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import Request, Response

T = TypeVar("T")

_SMALL_BYTES = 256 * 1024
"""Bodies over this are never worked on in the loop, however fast others were."""


class Host:
    """Runs one worker so that the event loop it lives in is never held up for long.

    Asynchronous endpoints run in the loop, concurrently. Synchronous ones run one at a time:
    in the loop while they are known to be fast, else in a thread.

    Args:
        worker: What answers.
        batching: Endpoint → how its requests are grouped.
        allow_concurrent: Whether several threads may call the Executor at once.
    """

    def __init__(
        self,
        worker: Worker,
        batching: dict[str, Batching],
        *,
        allow_concurrent: bool = False,
    ) -> None:
        self.worker = worker
        self._lane = Lane((os.cpu_count() or 1) + 4 if allow_concurrent else 1)
        self._allow_concurrent = allow_concurrent
        self._paces: dict[str, Pace] = {}
        self._batchers = {
            endpoint: self._batcher(endpoint, how) for endpoint, how in batching.items()
        }

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request; what fails is in its status."""
        endpoint = self.worker.served_as(request.endpoint)
        batcher = self._batchers.get(endpoint)
        if batcher is None or request.endpoint == DRY_RUN_ENDPOINT:
            return await self._compute(request, lambda: self.worker.answer(request))
        opened = self.worker.open(request)
        if isinstance(opened, Response):
            return opened
        key = request.endpoint, orjson.dumps(request.parameters, option=orjson.OPT_SORT_KEYS)
        return await batcher.submit(key, opened, len(opened.docs))

    def flush(self) -> None:
        """Let requests that wait for company go now."""
        for batcher in self._batchers.values():
            batcher.flush()

    async def aside(self, work: Callable[[], T]) -> T:
        """Run `work` where synchronous endpoints run, after those that are before it."""
        return await self._lane.run(work)

    async def _compute(self, request: Request, answer: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if request.endpoint == DRY_RUN_ENDPOINT or self.worker.is_async(request.endpoint):
            return await answer()
        pace = self._paces.setdefault(self.worker.served_as(request.endpoint), Pace())

        def begin() -> Begun[T]:
            start = time.perf_counter()
            try:
                return Begun(answer())
            finally:
                pace.add(time.perf_counter() - start)

        if self._may_run_here(request, pace):
            return await begin()
        return await (await self._lane.run(begin))

    def _may_run_here(self, request: Request, pace: Pace) -> bool:
        if not (self._lane.is_idle or self._allow_concurrent) or not pace.is_fast:
            return False
        return sum(len(body.data) for body in request.bodies) <= _SMALL_BYTES

    def _batcher(self, endpoint: str, how: Batching) -> Batcher[Opened, Response]:
        most = None if how.flush_all else how.preferred_batch_size

        async def run(opened: Sequence[Opened]) -> Sequence[Response]:
            return await self._compute(
                opened[0].request, lambda: self.worker.answer_together(opened, most)
            )

        return Batcher(run, enough=how.preferred_batch_size, patience_s=how.timeout_ms / 1000)
