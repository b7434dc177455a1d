"""Where the time of one request went."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Mapping

from jina_cli.client.core import Core, Pace
from jina_cli.client.errors import error_of
from jina_cli.client.posting import question_of
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import Response, StatusCode

_TIMEOUT_S = 60.0


async def profile_of(core: Core, metadata: Mapping[str, str], *, show: bool) -> dict[str, float]:
    """Send one request through all Executors, none of which has work to do; return times in ms.

    Raises:
        JinaError: As `Core.ask`.
    """
    await core.transport()  # connecting does not count
    question = question_of(DRY_RUN_ENDPOINT, {"timeout": _TIMEOUT_S}, metadata)
    started = time.perf_counter()
    elapsed_ms = 0.0
    response = Response(request_id="")
    async for request, response in core.ask_all(question, _nothing(), Pace()):
        elapsed_ms = 1000 * (time.perf_counter() - started)
        # A Gateway of Jina has no page for that over HTTP; its 404 took the way there and back.
        if response.status.code is not StatusCode.NOT_FOUND:
            error = error_of(response.status, DRY_RUN_ENDPOINT, _TIMEOUT_S, request.request_id)
            if error is not None:
                raise error
    times = times_of(response, elapsed_ms)
    if show:
        for name, ms in times.items():
            print(f"{name:<28}{ms:9.1f} ms{100 * ms / elapsed_ms:6.0f} %", file=sys.stderr)
    return times


async def _nothing() -> AsyncIterator[None]:
    yield None


def times_of(response: Response, elapsed_ms: float) -> dict[str, float]:
    """Return the parts of the time of a request, under Jina's names and those of the Pods.

    An answer that does not say which way it took, as one over HTTP, has a round trip alone.
    """
    if not response.routes:
        return {"Roundtrip": elapsed_ms}
    gateway, *steps = response.routes
    server_ms = 1000 * (gateway.end - gateway.start)
    # A Gateway of Jina does not always say when a step ended.
    pods = {step.pod: max(0.0, 1000 * (step.end - step.start)) for step in steps}
    return {
        "Roundtrip": elapsed_ms,
        "Client-server network": max(0.0, elapsed_ms - server_ms),
        "Server": server_ms,
        "Gateway-executors network": max(0.0, server_ms - sum(pods.values())),
        **pods,
    }
