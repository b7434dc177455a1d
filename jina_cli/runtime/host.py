"""Where a worker's answers are computed: in the event loop, in a thread, or in groups."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from contextvars import copy_context
from typing import Any, TypeVar

import orjson

from jina_cli.executors.endpoints import Batching
from jina_cli.runtime.batching import Batcher, Company, Convoy
from jina_cli.runtime.lane import Lane, Pace
from jina_cli.runtime.places import Places, begun
from jina_cli.runtime.steps import Mode, Track
from jina_cli.runtime.worker import HERE, Opened, Place, Worker
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
        batching: Endpoint → how its requests are grouped. Generators are not grouped.
        allow_concurrent: Whether several threads may call the Executor at once.
    """

    def __init__(
        self,
        worker: Worker,
        batching: Mapping[str, Batching],
        *,
        allow_concurrent: bool = False,
    ) -> None:
        self.worker = worker
        self._lane = Lane((os.cpu_count() or 1) + 4 if allow_concurrent else 1)
        self._places = Places(self._lane, allow_concurrent=allow_concurrent)
        self._paces: dict[str, Pace] = {}
        self._batchings = {
            endpoint: (how, self._company(endpoint, how))
            for endpoint, how in batching.items()
            if not worker.track(endpoint).is_generator
        }

    def respond(self, request: Request) -> Response | Awaitable[Response]:
        """Return the answer to a request, or what is to be awaited in a task for it.

        What is known to be fast is computed here and now, without a task: who reads requests
        off a connection can send the answers before it looks for more.
        """
        endpoint = self.worker.track(request.endpoint).endpoint
        pace = self._paces.get(endpoint)
        is_quick = pace is not None and self._places.is_free(pace) and _is_small(request)
        if pace is None or not is_quick or endpoint in self._batchings:
            return self.answer(request)
        try:
            # What user code puts into its context is gone with the request.
            done = copy_context().run(begun, pace, lambda: self.worker.answer(request))
        except (SystemExit, KeyboardInterrupt) as end:
            return _raised(end)
        return done.result if done.is_over else done

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request; what fails is in its status."""
        track = self.worker.track(request.endpoint)
        batching = self._batchings.get(track.endpoint)
        if batching is None:
            place = self._place(track)
            return await self._compute(track, request, lambda: self.worker.answer(request, place))
        how, company = batching
        opened = self.worker.open(request, how)
        if isinstance(opened, Response):
            return opened
        key = request.endpoint, orjson.dumps(request.parameters, option=orjson.OPT_SORT_KEYS)
        return await company.submit(key, opened, sum(opened.weights))

    async def stream(self, request: Request) -> AsyncGenerator[Response, None]:
        """Yield the answer to a request in parts, each computed when it is asked for.

        An endpoint that is no generator answers in one part. A part that fails is the last.
        Closing this closes the generator.
        """
        if not self.worker.track(request.endpoint).is_generator:
            yield await self.answer(request)
            return
        async with aclosing(self.worker.stream(request, self._places)) as parts:
            async for part in parts:
                yield part

    def flush(self) -> None:
        """Let requests that wait for company go now."""
        for _, company in self._batchings.values():
            company.flush()

    async def aside(self, work: Callable[[], T]) -> T:
        """Run `work` where synchronous endpoints run, after those that are before it."""
        return await self._lane.run(work)

    async def _compute(
        self, track: Track, request: Request, answer: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        if track.mode is not Mode.LANE or not track.stops:
            return await answer()
        pace = self._paces.get(track.endpoint)
        if pace is None:
            pace = self._paces[track.endpoint] = Pace()
        return await self._places.run(pace, answer, is_small=_is_small(request))

    def _place(self, track: Track) -> Place:
        return HERE if track.mode is Mode.LANE else self._places

    def _company(self, endpoint: str, how: Batching) -> Company[Opened, Response]:
        track = self.worker.track(endpoint)
        place = self._place(track)

        async def run(opened: Sequence[Opened]) -> Sequence[Response]:
            return await self._compute(
                track, opened[0].request, lambda: self.worker.answer_together(opened, how, place)
            )

        if how.timeout_ms == 0:
            return Convoy(run, enough=how.preferred_batch_size)
        return Batcher(run, enough=how.preferred_batch_size, patience_s=how.timeout_ms / 1000)


def _is_small(request: Request) -> bool:
    size = 0
    for body in request.bodies:
        size += len(body.data)
    return size <= _SMALL_BYTES


async def _raised(error: BaseException) -> Response:
    """Raise in a task what is to end the process: out of there the event loop lets it through."""
    raise error
