"""When a request is sent again, and how long is waited before."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from jina_cli.client.errors import ConnectionFailed
from jina_cli.client.transport import Asks
from jina_cli.vocabulary import IDEMPOTENT_ENDPOINTS
from jina_cli.wire.messages import Request, Response, StatusCode

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 1.0
_PATIENCE_S = 120.0
"""How long a full queue is waited for where the caller set no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a request that found nobody is sent, and with which pauses.

    A pause is a random part of `initial_backoff_s * multiplier ** (tries - 1)`, which does not
    grow over `max_backoff_s`.

    Attributes:
        max_attempts: Tries in all, at least 1.
        idempotent: Whether a request may be acted on twice; None where only its endpoint says
            so, as `/search` does. One that may not is sent again only if it was not sent.
    """

    max_attempts: int = 1
    initial_backoff_s: float = 0.5
    max_backoff_s: float = 2.0
    multiplier: float = 1.5
    idempotent: bool | None = None

    def pause_s(self, tries: int) -> float:
        """Return how long to wait after so many tries."""
        longest = self.initial_backoff_s * self.multiplier ** (tries - 1)
        return random.uniform(0, min(longest, self.max_backoff_s))

    def may_repeat(self, endpoint: str) -> bool:
        """Whether a request may be acted on twice."""
        return endpoint in IDEMPOTENT_ENDPOINTS if self.idempotent is None else self.idempotent


ONCE = Retries()


async def ask(via: Asks, request: Request, retries: Retries) -> Response:
    """Return the answer to a request, sent as often as need be and may be.

    A Flow whose queue is full is asked again for as long as the deadline allows: it has not
    begun, and the pauses grow, so that this is safe and does not add to its load.

    Raises:
        ConnectionFailed: Of the last try.
    """
    tries = 1
    while True:
        is_last = tries >= retries.max_attempts
        pause_s = retries.pause_s(tries)
        try:
            response = await _patiently(via, request)
        except ConnectionFailed as error:
            is_safe = not error.was_sent or retries.may_repeat(request.endpoint)
            if is_last or not is_safe or not await _paused(pause_s, request.deadline):
                raise
        else:
            gone = response.status.code is StatusCode.UNAVAILABLE
            if is_last or not gone or not retries.may_repeat(request.endpoint):
                return response
            if not await _paused(pause_s, request.deadline):
                return response
        tries += 1


async def _patiently(via: Asks, request: Request) -> Response:
    response = await via.request(request)
    if response.status.code is not StatusCode.OVERLOADED:
        return response
    wait_s = _FIRST_WAIT_S
    until = time.monotonic() + _PATIENCE_S if request.deadline is None else request.deadline
    while response.status.code is StatusCode.OVERLOADED and await _paused(
        wait_s * random.uniform(0.5, 1.0), until
    ):
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        response = await via.request(request)
    return response


async def _paused(wait_s: float, until: float | None) -> bool:
    """Wait; False at once if the time would be over."""
    if until is not None and time.monotonic() + wait_s >= until:
        return False
    await asyncio.sleep(wait_s)
    return True
