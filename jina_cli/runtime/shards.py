"""The shards of a Pod, asked as one: who gets which documents, and what their answers make.

A document goes to the shard that its id belongs to (ANY), or all documents go to all shards
(ALL). A shard that fails fails the request, by its name. Where partial answers are allowed,
shards that fail are left out of what all were asked, and the answer is marked; documents that
belong to one shard are never left out.

`/search` gives the best matches of all shards, `/dump` the next documents of all, `/get` those
that were named, in the order of the names. What shards say
besides documents stays apart by the names of their Peas, as in Jina; but `/count` and `/delete`
say one number, the sum, under the name of the Pod.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.drivers.base import top_k_of, whole_number
from jina_cli.drivers.keep import MAX_LIMIT, ids_of
from jina_cli.runtime.gather import in_order, merge_pages, merge_top_k, put_back, split, union
from jina_cli.runtime.parameters import add_up, merge_results
from jina_cli.vocabulary import DEFAULT_ENDPOINT, DRY_RUN_ENDPOINT, TRAIN_ENDPOINT, Polling
from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import EMPTY, Body, EndpointInfo, Format, Request, Response
from jina_cli.wire.parts import closing, merged

TOTAL, FAILED = "total_shards", "failed_shards"
"""Marks of an answer for which shards were left out."""

_DUMP, _GET = "/dump", "/get"
_COUNTED = frozenset({"/count", "/delete"})
_OF_IDS = frozenset({"/get", "/delete"})
_CHOOSES = ("ids", "filter")
"""Parameters that name documents besides those of the request, whichever shard has them."""


def polling_of(endpoint: str, polling: Mapping[str, Polling]) -> Polling:
    """Return which shards a request goes to: as named, else as `*` says."""
    return polling.get(endpoint) or polling.get("*", Polling.ANY)


@dataclass(frozen=True, slots=True)
class _Share:
    """What one shard is asked."""

    shard: ReplicaSet
    request: Request


class Shards:
    """All shards of one Pod.

    Args:
        shards: The replicas of each, started.
        polling: Endpoint → which shards a request goes to.
        partial: Whether what some shards answered is enough where others failed.
    """

    def __init__(
        self,
        shards: Sequence[ReplicaSet],
        polling: Mapping[str, Polling],
        *,
        partial: bool = False,
    ) -> None:
        self.shards = tuple(shards)
        self._polling = polling
        self._partial = partial

    @property
    def is_ready(self) -> bool:
        """Whether a request to all shards could be answered now."""
        enough = any if self._partial else all
        return enough(shard.is_up for shard in self.shards)

    async def answer(self, request: Request, wanted: Format) -> Response:
        """Return what the shards answer, as one, with documents in `wanted`.

        Raises:
            ValueError: Documents are not what they should be.
        """
        if request.endpoint == DRY_RUN_ENDPOINT:
            answers = await self._ask(self._all(request))
            return _first_failed(answers) or _together(answers, request.bodies[0])
        if request.endpoint == TRAIN_ENDPOINT:
            answers = await asyncio.gather(*(shard.broadcast(request) for shard in self.shards))
            body = _rewritten(answers[0].body, wanted)
            return _first_failed(answers) or _together(answers, body)
        docs = self._owned(request)
        if docs is None:
            return await self._ask_everyone(request, wanted)
        return await self._ask_owners(request, docs, wanted)

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        """Yield what the shards answer in parts, as they come; one that failed is the last.

        Shards that answer whole have one answer together.

        Raises:
            ValueError: Documents are not what they should be.
        """
        if self._answer_whole(request.endpoint):
            yield await self.answer(replace(request, streamed=False), request.wanted)
            return
        docs = self._owned(request)
        shares = self._all(request) if docs is None else self._owners(request, docs)
        may_lack = self._partial and docs is None
        failed: list[Response] = []
        streams = [share.shard.stream(share.request) for share in shares]
        async with closing(merged(streams)) as parts:
            async for part in parts:
                if part.status.ok:
                    yield part
                    continue
                failed.append(part)
                if not may_lack or len(failed) == len(shares):
                    yield replace(failed[0], body=EMPTY)
                    return
        if failed:
            yield Response(marks=_marks(len(shares), len(failed)))

    def _answer_whole(self, endpoint: str) -> bool:
        """Whether the shards are known to have no generator at an endpoint."""
        known = self._infos(endpoint)
        return bool(known) and not any(info.is_generator for info in known)

    def _infos(self, endpoint: str) -> list[EndpointInfo]:
        """Return what the shards say of an endpoint; nothing for those that have not said it."""
        told = [link.hello for shard in self.shards for link in shard.links]
        served = [hello.endpoints for hello in told if hello is not None]
        infos = [infos.get(endpoint) or infos.get(DEFAULT_ENDPOINT) for infos in served]
        return [info for info in infos if info is not None]

    def _merge_of(self, request: Request) -> Callable[[Sequence[DocumentBatch]], DocumentBatch]:
        """Return how the answers of all shards become one.

        Raises:
            BadParameter: What says how many documents are wanted makes no sense.
        """
        parameters = request.parameters
        if request.endpoint == _DUMP:
            has_limit = "limit" in parameters
            limit = whole_number(parameters, "limit", 1, most=MAX_LIMIT) if has_limit else None
            return partial(merge_pages, limit=limit)
        if request.endpoint == _GET:
            return partial(in_order, order=ids_of(_read(request), parameters))
        known = next((info.top_k for info in self._infos(request.endpoint) if info.top_k), None)
        top_k = top_k_of(parameters, 1) if "top_k" in parameters else known
        return partial(merge_top_k, top_k=top_k)

    def _owned(self, request: Request) -> DocumentBatch | None:
        """Return the documents if each belongs to one shard; None where all get all."""
        has_docs = any(body.format is not Format.NONE for body in request.bodies)
        if not has_docs or polling_of(request.endpoint, self._polling) is Polling.ALL:
            return None
        if request.endpoint in _OF_IDS and any(map(request.parameters.get, _CHOOSES)):
            return None
        docs = _read(request)
        return docs if len(docs) else None

    def _all(self, request: Request) -> list[_Share]:
        if len(self.shards) > 1:
            request = _in_columns(request)
        return [_Share(shard, request) for shard in self.shards]

    def _owners(self, request: Request, docs: DocumentBatch) -> list[_Share]:
        return [
            _Share(shard, replace(request, bodies=(_body(request, docs, part),)))
            for shard, part in zip(self.shards, split(docs, len(self.shards)), strict=True)
            if len(part)
        ]

    async def _ask(self, shares: Sequence[_Share]) -> list[Response]:
        return await asyncio.gather(*(share.shard.request(share.request) for share in shares))

    async def _ask_everyone(self, request: Request, wanted: Format) -> Response:
        merge = self._merge_of(request)
        answers = await self._ask(self._all(request))
        good = [answer for answer in answers if answer.status.ok]
        if not good or (len(good) < len(answers) and not self._partial):
            return _first_failed(answers) or answers[0]
        found = merge([read_body(answer.body) for answer in good])
        response = self._together(request, good, write_body(found, wanted))
        failed = len(answers) - len(good)
        return replace(response, marks=_marks(len(answers), failed)) if failed else response

    async def _ask_owners(self, request: Request, docs: DocumentBatch, wanted: Format) -> Response:
        answers = await self._ask(self._owners(request, docs))
        failed = _first_failed(answers)
        if failed is not None:
            return failed
        if len(answers) == 1:
            return self._together(request, answers, _rewritten(answers[0].body, wanted))
        found = put_back(docs.ids, [read_body(answer.body) for answer in answers])
        return self._together(request, answers, write_body(found, wanted))

    def _together(self, request: Request, answers: Sequence[Response], body: Body) -> Response:
        together = _together(answers, body)
        if request.endpoint not in _COUNTED:
            return together
        pod = self.shards[0].name.partition("/")[0]
        return replace(together, parameters=add_up(together.parameters, pod))


def _marks(total: int, failed: int) -> dict[str, str]:
    return {TOTAL: str(total), FAILED: str(failed)}


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


def _rewritten(body: Body, wanted: Format) -> Body:
    return body if body.format in (wanted, Format.NONE) else write_body(read_body(body), wanted)


def _first_failed(answers: Sequence[Response]) -> Response | None:
    """Return the first failure, without documents."""
    failed = next((answer for answer in answers if not answer.status.ok), None)
    return None if failed is None else replace(failed, body=EMPTY)


def _together(answers: Sequence[Response], body: Body) -> Response:
    parameters: dict[str, Any] = merge_results({}, [answer.parameters for answer in answers])
    return Response(body=body, parameters=parameters)
