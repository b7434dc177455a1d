"""Documents from one format to another, in the one place where the Gateway has to look at them.

Between our own Pods nobody converts: each writes what the next one wants. An external Pod
takes and gives the standard form only, and its condition and its needs are met here. Numpy is
imported here, in a worker thread, and only once such a Pod needs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.wire.messages import EMPTY, Body, Format


async def as_format(body: Body, wanted: Format) -> Body:
    """Return the documents of `body` in `wanted`; the same body if it is, or has none.

    Raises:
        ValueError: The body is malformed.
    """
    if body.format in (wanted, Format.NONE):
        return body
    return await asyncio.to_thread(_convert, body, wanted)


async def together(bodies: Sequence[Body], wanted: Format) -> Body:
    """Return the documents of several answers, merged by id, in `wanted`.

    Raises:
        ValueError: A body is malformed.
    """
    there = [body for body in bodies if body.format is not Format.NONE]
    if len(there) < 2:
        return await as_format(there[0] if there else EMPTY, wanted)
    return await asyncio.to_thread(_merge, there, wanted)


async def those_that(body: Body, when: Mapping[str, Any]) -> Body:
    """Return the documents that meet a condition; EMPTY if none does, the same body if all do.

    Raises:
        ValueError: The body is malformed.
    """
    if body.format is Format.NONE:
        return body
    return await asyncio.to_thread(_choose, body, when)


def _convert(body: Body, wanted: Format) -> Body:
    from jina_cli.wire.bodies import read_body, write_body

    return write_body(read_body(body), wanted)


def _merge(bodies: Sequence[Body], wanted: Format) -> Body:
    from jina_cli.documents.merge import union
    from jina_cli.wire.bodies import read_body, write_body

    return write_body(union([read_body(body) for body in bodies]), wanted)


def _choose(body: Body, when: Mapping[str, Any]) -> Body:
    from jina_cli.documents.query import Query
    from jina_cli.wire.bodies import read_body, write_body

    docs = read_body(body)
    chosen = Query.of(when).matching(docs)
    if len(chosen) == len(docs):
        return body
    return write_body(docs.take(chosen), body.format) if len(chosen) else EMPTY
