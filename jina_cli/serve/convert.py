"""Documents from one format to another, in the one place where the Gateway has to do it.

Between our own Pods nobody converts: each writes what the next one wants. An external Pod
takes and gives the standard form only. Numpy is imported here, in a worker thread, and only
once such a Pod is asked in another form.
"""

from __future__ import annotations

import asyncio

from jina_cli.wire.messages import Body, Format


async def as_format(body: Body, wanted: Format) -> Body:
    """Return the documents of `body` in `wanted`; the same body if it is, or has none.

    Raises:
        ValueError: The body is malformed.
    """
    if body.format in (wanted, Format.NONE):
        return body
    return await asyncio.to_thread(_convert, body, wanted)


def _convert(body: Body, wanted: Format) -> Body:
    from jina_cli.wire.bodies import read_body, write_body

    return write_body(read_body(body), wanted)
