"""Which requests are sent again, and which are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from jina_cli.client.errors import ConnectionFailed
from jina_cli.client.retries import ONCE, Retries, ask
from jina_cli.wire.messages import OK, Request, Response, Status, StatusCode

GONE = Status(code=StatusCode.UNAVAILABLE)
FULL = Status(code=StatusCode.OVERLOADED)
NOBODY = ConnectionFailed("nobody answers")
BROKE = ConnectionFailed("it broke", was_sent=True)


class Told:
    """Answers with what it is told, one for each request, the last one for ever."""

    def __init__(self, *outcomes: Status | ConnectionFailed) -> None:
        self._outcomes = list(outcomes)
        self.asked = 0

    async def request(self, request: Request) -> Response:
        self.asked += 1
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, ConnectionFailed):
            raise outcome
        return Response(status=outcome)


def outcome_of(told: Told, endpoint: str, retries: Retries, left_s: float = 5.0) -> str:
    async def run() -> Response:
        deadline = time.monotonic() + left_s
        return await ask(told, Request(endpoint=endpoint, deadline=deadline), retries)

    try:
        return asyncio.run(run()).status.code.name
    except ConnectionFailed as error:
        return str(error)


def _tries(count: int, *, idempotent: bool | None = None) -> Retries:
    return Retries(max_attempts=count, initial_backoff_s=0.001, idempotent=idempotent)


@pytest.mark.parametrize(
    ("outcomes", "endpoint", "idempotent", "asked", "outcome"),
    [
        ([NOBODY, NOBODY, OK], "/index", None, 3, "OK"),  # it was never sent
        ([NOBODY], "/index", None, 3, "nobody answers"),
        ([BROKE, OK], "/index", None, 1, "it broke"),  # it may have been acted on
        ([BROKE, OK], "/search", None, 2, "OK"),
        ([BROKE, OK], "/index", True, 2, "OK"),
        ([BROKE, OK], "/search", False, 1, "it broke"),
        ([GONE, OK], "/search", None, 2, "OK"),
        ([GONE, OK], "/index", None, 1, "UNAVAILABLE"),
        ([GONE], "/search", None, 3, "UNAVAILABLE"),
    ],
)
def test_only_what_does_no_harm_twice_is_sent_again(
    outcomes: Sequence[Status | ConnectionFailed],
    endpoint: str,
    idempotent: bool | None,
    asked: int,
    outcome: str,
) -> None:
    told = Told(*outcomes)

    found = outcome_of(told, endpoint, _tries(3, idempotent=idempotent))

    assert (found, told.asked) == (outcome, asked)


def test_one_try_is_one_try() -> None:
    told = Told(NOBODY)

    assert outcome_of(told, "/search", ONCE) == "nobody answers"
    assert told.asked == 1


def test_a_full_queue_is_asked_again_without_counting_as_a_try() -> None:
    told = Told(FULL, FULL, FULL, OK)

    assert outcome_of(told, "/index", ONCE) == "OK"
    assert told.asked == 4


def test_no_pause_goes_over_the_deadline() -> None:
    told = Told(NOBODY)
    started = time.monotonic()

    outcome = outcome_of(told, "/index", Retries(max_attempts=9, initial_backoff_s=60), 0.05)

    assert outcome == "nobody answers"
    assert time.monotonic() - started < 1


def test_pauses_grow_to_their_bound_and_are_random() -> None:
    retries = Retries(max_attempts=9, initial_backoff_s=1, max_backoff_s=4, multiplier=2)

    for tries, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (9, 4.0)):
        pauses = [retries.pause_s(tries) for _ in range(200)]
        assert 0 <= min(pauses) <= max(pauses) <= longest
        assert max(pauses) - min(pauses) > longest / 2
