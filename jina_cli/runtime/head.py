"""The head of a Pod with several shards: spreads requests over them and merges the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from jina_cli.lifeline import PhaseSaid
from jina_cli.plan.models import ExecutorPlan, HeadPlan, PeaPlan
from jina_cli.runtime.failures import status_of
from jina_cli.runtime.load import Loaded, load_executors
from jina_cli.runtime.parameters import merge_results
from jina_cli.runtime.shards import Shards
from jina_cli.vocabulary import DEFAULT_ENDPOINT
from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.channel import SILENT_S, Link
from jina_cli.wire.messages import (
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
    RouteStep,
)
from jina_cli.wire.parts import closing


class ShardsFailed(Exception):
    """A head could not reach its shards."""


class Changes:
    """Passes on that a replica came or went, to whoever listens by then."""

    def __init__(self) -> None:
        self.listener: Callable[[], None] | None = None

    def __call__(self, _: Link) -> None:
        if self.listener is not None:
            self.listener()


class Head:
    """Answers for all shards of a Pod, see `shards`.

    Args:
        plan: Of this process.
        shards: All of them.
        changes: Is told when one of their replicas comes or goes.
        before: Executors that see a request first, whole; None for none.
        after: Executors that see the merged answer, or each part of it.
    """

    def __init__(
        self,
        plan: PeaPlan,
        shards: Shards,
        changes: Changes,
        before: Loaded | None = None,
        after: Loaded | None = None,
    ) -> None:
        self._plan = plan
        self._shards = shards
        self._changes = changes
        self._before = before
        self._after = after

    @classmethod
    async def connect(cls, plan: PeaPlan, tell: Callable[[PhaseSaid], None]) -> Head:
        """Return the head once its Executors are loaded and each shard has a replica that is up.

        Raises:
            ImportFailed: One of its own Executors could not be imported.
            InitFailed: One could not be created.
            ShardsFailed: A shard was not up in the time this Pea has to get ready.
        """
        head = plan.head
        assert head is not None, f"{plan.name} is a head"
        before = _own(head.before, plan, tell)
        after = _own(head.after, plan, tell)
        tell(PhaseSaid(phase="connect"))
        changes = Changes()
        sets = _replica_sets(plan, head, changes)
        try:
            await asyncio.gather(*(shard.wait_up(plan.ready_within_s) for shard in sets))
        except TimeoutError as error:
            raise ShardsFailed(str(error)) from error
        shards = Shards(sets, head.polling, partial=head.partial)
        return cls(plan, shards, changes, before, after)

    def listen(self, announce: Callable[[], None]) -> None:
        """Call `announce` whenever `hello` may have changed: a replica came or went."""
        self._changes.listener = announce

    def hello(self) -> Hello:
        """Say what the shards serve: what the Executor before them takes, the one after gives."""
        endpoints: dict[str, EndpointInfo] = {}
        for loaded in (self._before, self._after):
            if loaded is not None:
                endpoints.update(loaded.endpoints)
        for link in (link for shard in self._shards.shards for link in shard.links):
            if link.hello is not None:
                endpoints.update(link.hello.endpoints)
        endpoints = {name: self._around(name, info) for name, info in endpoints.items()}
        return Hello(pea=self._plan.name, endpoints=endpoints, is_ready=self._shards.is_ready)

    def _around(self, endpoint: str, info: EndpointInfo) -> EndpointInfo:
        before, after = (_info_of(one, endpoint) for one in (self._before, self._after))
        info = info if before is None else before.then(info)
        return info if after is None else info.then(after)

    async def answer(self, request: Request) -> Response:
        start = time.time()
        response = await self._through(request)
        step = RouteStep(pod=self._plan.pod, start=start, end=time.time())
        return replace(response, request_id=request.request_id, routes=(step,))

    respond = answer

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        """Yield what the shards yield, as it comes, each part seen by the Executor after them."""
        start = time.time()
        async with closing(self._in_parts(request)) as parts:
            async for part in parts:
                step = RouteStep(pod=self._plan.pod, start=start, end=time.time())
                yield replace(part, request_id=request.request_id, routes=(step,))

    def flush(self) -> None:
        for loaded in (self._before, self._after):
            if loaded is not None:
                loaded.host.flush()

    async def close(self) -> None:
        for loaded in (self._before, self._after):
            if loaded is not None:
                await loaded.host.aside(loaded.close)
        await asyncio.gather(*(shard.close() for shard in self._shards.shards))

    async def _through(self, request: Request) -> Response:
        inner = await self._prepared(request)
        if isinstance(inner, Response):
            return inner
        try:
            response = await self._shards.answer(inner, self._inner_format(request))
        except Exception as error:
            return Response(status=status_of(error, self._plan.pod))
        return await self._finished(request, inner, response)

    async def _in_parts(self, request: Request) -> AsyncIterator[Response]:
        inner = await self._prepared(request)
        if isinstance(inner, Response):
            yield inner
            return
        inner = replace(inner, wanted=self._inner_format(request))
        try:
            async with closing(self._shards.stream(inner)) as parts:
                async for part in parts:
                    yield await self._finished(request, inner, part)
        except Exception as error:
            yield Response(status=status_of(error, self._plan.pod))

    def _inner_format(self, request: Request) -> Format:
        """Return how the shards' documents are wanted: columns, where somebody looks at them."""
        return request.wanted if self._after is None else Format.COLUMNS

    async def _prepared(self, request: Request) -> Request | Response:
        """Return what the shards are asked, or why they are not."""
        inner = replace(request, wanted=Format.COLUMNS)
        if self._before is None:
            return inner
        whole = replace(inner, streamed=False)
        response = await self._before.host.answer(whole)
        if not response.status.ok:
            return response
        return replace(inner, bodies=(response.body,), parameters=response.parameters)

    async def _finished(self, request: Request, inner: Request, response: Response) -> Response:
        """Return what the shards answered, as the Executor after them leaves it."""
        parameters = merge_results(inner.parameters, [response.parameters])
        if not response.status.ok or self._after is None or not response.body.format:
            return replace(response, parameters=parameters)
        last = replace(request, bodies=(response.body,), parameters=parameters, streamed=False)
        finished = await self._after.host.answer(last)
        return replace(finished, marks=response.marks)


def _info_of(loaded: Loaded | None, endpoint: str) -> EndpointInfo | None:
    """Return what an Executor says of requests to an endpoint; None where they pass it by."""
    if loaded is None:
        return None
    return loaded.endpoints.get(endpoint) or loaded.endpoints.get(DEFAULT_ENDPOINT)


def _own(
    wanted: ExecutorPlan | None, plan: PeaPlan, tell: Callable[[PhaseSaid], None]
) -> Loaded | None:
    return None if wanted is None else load_executors(wanted, plan, tell)


def _replica_sets(plan: PeaPlan, head: HeadPlan, changes: Changes) -> list[ReplicaSet]:
    sets = []
    for place, addresses in enumerate(head.shards):
        links = [_link(address, plan, changes) for address in addresses]
        name = plan.pod if len(head.shards) == 1 else f"{plan.pod}/shard-{place}"
        sets.append(ReplicaSet(links, name=name, retries=head.retries, idempotent=head.idempotent))
    return sets


def _link(address: str, plan: PeaPlan, changes: Changes) -> Link:
    link = Link(
        address,
        max_pending=plan.max_queue,
        max_message_bytes=plan.max_message_bytes,
        on_change=changes,
        silent_s=SILENT_S,
    )
    link.start()
    return link
