"""The head of a Pod with several shards: spreads requests over them and merges the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.drivers.base import top_k_of
from jina_cli.lifeline import PhaseSaid
from jina_cli.plan.models import ExecutorPlan, HeadPlan, PeaPlan
from jina_cli.runtime.failures import status_of
from jina_cli.runtime.gather import merge_top_k, put_back, split, union
from jina_cli.runtime.load import Loaded, load_executors
from jina_cli.runtime.parameters import merge_results
from jina_cli.vocabulary import DRY_RUN_ENDPOINT, TRAIN_ENDPOINT, Polling
from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.channel import SILENT_S, Link
from jina_cli.wire.messages import (
    EMPTY,
    Body,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
    RouteStep,
)


class ShardsFailed(Exception):
    """A head could not reach its shards."""


def polling_of(endpoint: str, polling: Mapping[str, Polling]) -> Polling:
    """Return which shards a request goes to: as named, else as `*` says."""
    return polling.get(endpoint) or polling.get("*", Polling.ANY)


class Head:
    """Answers for all shards of a Pod.

    A document goes to the shard that its id belongs to (ANY), or all documents go to all
    shards (ALL). A shard that fails fails the request: there are no partial answers.

    Args:
        plan: Of this process.
        shards: The replicas of each shard, started.
        before: Executors that see a request first; None for none.
        after: Executors that see the merged answer.
    """

    def __init__(
        self,
        plan: PeaPlan,
        shards: Sequence[ReplicaSet],
        before: Loaded | None = None,
        after: Loaded | None = None,
    ) -> None:
        assert plan.head is not None, f"{plan.name} is a head"
        self._plan = plan
        self._polling = plan.head.polling
        self._shards = tuple(shards)
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
        shards = _replica_sets(plan, head)
        try:
            await asyncio.gather(*(shard.wait_up(plan.ready_within_s) for shard in shards))
        except TimeoutError as error:
            raise ShardsFailed(str(error)) from error
        return cls(plan, shards, before, after)

    def hello(self) -> Hello:
        """Say what the shards serve, and the Executors around them."""
        endpoints: dict[str, EndpointInfo] = {}
        for loaded in (self._before, self._after):
            if loaded is not None:
                endpoints.update(loaded.endpoints)
        for link in (link for shard in self._shards for link in shard.links):
            if link.hello is not None:
                endpoints.update(link.hello.endpoints)
        return Hello(pea=self._plan.name, executor="", endpoints=endpoints)

    async def answer(self, request: Request) -> Response:
        start = time.time()
        response = await self._through(request)
        step = RouteStep(pod=self._plan.pod, start=start, end=time.time())
        return replace(response, request_id=request.request_id, routes=(step,))

    async def stream(self, request: Request) -> AsyncGenerator[Response, None]:
        """Yield the answer as the one part it is."""
        yield await self.answer(request)

    def flush(self) -> None:
        for loaded in (self._before, self._after):
            if loaded is not None:
                loaded.host.flush()

    async def close(self) -> None:
        for loaded in (self._before, self._after):
            if loaded is not None:
                await loaded.host.aside(loaded.close)
        await asyncio.gather(*(shard.close() for shard in self._shards))

    async def _through(self, request: Request) -> Response:
        parameters = request.parameters
        inner = replace(request, wanted=Format.COLUMNS)
        if self._before is not None:
            response = await self._before.host.answer(inner)
            if not response.status.ok:
                return response
            parameters = response.parameters
            inner = replace(inner, bodies=(response.body,))
        wanted = request.wanted if self._after is None else Format.COLUMNS
        response = await self._spread(inner, wanted)
        merged = merge_results(parameters, [response.parameters])
        if not response.status.ok or self._after is None:
            return replace(response, parameters=merged)
        last = replace(request, bodies=(response.body,), parameters=merged)
        return await self._after.host.answer(last)

    async def _spread(self, request: Request, wanted: Format) -> Response:
        try:
            return await self._to_shards(request, wanted)
        except Exception as error:
            return Response(status=status_of(error, self._plan.pod))

    async def _to_shards(self, request: Request, wanted: Format) -> Response:
        if request.endpoint == DRY_RUN_ENDPOINT:
            answers = await self._ask_all(request)
            return _together(answers, request.bodies[0])
        if request.endpoint == TRAIN_ENDPOINT:
            asked = (shard.broadcast(request) for shard in self._shards)
            answers = await asyncio.gather(*asked)
            return _together(answers, self._rewritten(answers[0].body, wanted))
        has_docs = any(body.format is not Format.NONE for body in request.bodies)
        to_all = polling_of(request.endpoint, self._polling) is Polling.ALL
        if not has_docs or to_all:
            return await self._ask_everyone(request, wanted)
        docs = _read(request)
        if len(docs) == 0:
            return await self._ask_everyone(request, wanted)
        return await self._ask_owners(request, docs, wanted)

    async def _ask_everyone(self, request: Request, wanted: Format) -> Response:
        top_k = self._top_k(request)
        if len(self._shards) > 1:
            request = _in_columns(request)
        answers = await self._ask_all(request)
        failed = _first_failed(answers)
        if failed is not None:
            return failed
        merged = merge_top_k([read_body(answer.body) for answer in answers], top_k)
        return _together(answers, write_body(merged, wanted))

    async def _ask_owners(self, request: Request, docs: DocumentBatch, wanted: Format) -> Response:
        parts = split(docs, len(self._shards))
        asked = [
            shard.request(replace(request, bodies=(_body(request, docs, part),)))
            for shard, part in zip(self._shards, parts, strict=True)
            if len(part)
        ]
        answers = await asyncio.gather(*asked)
        failed = _first_failed(answers)
        if failed is not None:
            return failed
        if len(answers) == 1:
            return _together(answers, self._rewritten(answers[0].body, wanted))
        merged = put_back(docs.ids, [read_body(answer.body) for answer in answers])
        return _together(answers, write_body(merged, wanted))

    async def _ask_all(self, request: Request) -> list[Response]:
        return await asyncio.gather(*(shard.request(request) for shard in self._shards))

    def _top_k(self, request: Request) -> int | None:
        parameters = request.parameters
        return top_k_of(parameters, 1) if "top_k" in parameters else None

    def _rewritten(self, body: Body, wanted: Format) -> Body:
        return body if body.format in (wanted, Format.NONE) else write_body(read_body(body), wanted)


def _own(
    wanted: ExecutorPlan | None, plan: PeaPlan, tell: Callable[[PhaseSaid], None]
) -> Loaded | None:
    return None if wanted is None else load_executors(wanted, plan, tell)


def _replica_sets(plan: PeaPlan, head: HeadPlan) -> list[ReplicaSet]:
    sets = []
    for place, addresses in enumerate(head.shards):
        links = [_link(address, plan) for address in addresses]
        name = plan.pod if len(head.shards) == 1 else f"{plan.pod}/shard-{place}"
        sets.append(ReplicaSet(links, name=name))
    return sets


def _link(address: str, plan: PeaPlan) -> Link:
    link = Link(
        address,
        max_pending=plan.max_queue,
        max_message_bytes=plan.max_message_bytes,
        silent_s=SILENT_S,
    )
    link.start()
    return link


def _read(request: Request) -> DocumentBatch:
    return union([read_body(body) for body in request.bodies])


def _in_columns(request: Request) -> Request:
    """Return the request with its documents as columns.

    Documents written as JSON may have no ids; the shards would each invent others, and what
    they found for one document could not be put together.
    """
    bodies = request.bodies
    if len(bodies) == 1 and bodies[0].format in (Format.COLUMNS, Format.NONE):
        return request
    return replace(request, bodies=(write_body(_read(request), Format.COLUMNS),))


def _body(request: Request, docs: DocumentBatch, part: DocumentBatch) -> Body:
    """Return the body with a shard's documents: the one that came in where it gets all."""
    if part is docs and len(request.bodies) == 1:
        return request.bodies[0]
    return write_body(part, Format.COLUMNS)


def _first_failed(answers: Sequence[Response]) -> Response | None:
    return next((answer for answer in answers if not answer.status.ok), None)


def _together(answers: Sequence[Response], body: Body) -> Response:
    failed = _first_failed(answers)
    if failed is not None:
        return replace(failed, body=EMPTY)
    parameters: dict[str, Any] = merge_results({}, [answer.parameters for answer in answers])
    return Response(body=body, parameters=parameters)
