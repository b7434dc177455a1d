"""More requests than a Flow can answer, for a while, and what came of each of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from tests.testing.askers import Ask, Outcome, an_asker

CLIENTS = 100
WITHIN_S = 5.0


@dataclass(slots=True)
class Storm:
    """What came of an overload.

    Attributes:
        outcomes: How many questions ended how.
        latencies: Seconds that each answered question took.
        seconds: How long it lasted.
        recovered_s: From the end of the storm to the first answer.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    recovered_s: float = 0.0

    @property
    def p50_s(self) -> float:
        return self._quantile(0.5)

    @property
    def p99_s(self) -> float:
        return self._quantile(0.99)

    @property
    def rate(self) -> float:
        """Questions a second, however they ended."""
        return self.outcomes.total() / self.seconds

    def _quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0

    def described(self) -> Mapping[str, float]:
        return {
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "rate": round(self.rate),
            "p50_ms": round(1e3 * self.p50_s, 1),
            "p99_ms": round(1e3 * self.p99_s, 1),
            "recovered_ms": round(1e3 * self.recovered_s, 1),
        }


async def storm(protocol: str, address: str, *, rate: float, seconds: float) -> Storm:
    """Ask `rate` times a second, whatever comes back, and then see how soon all is well.

    Raises:
        TimeoutError: The Flow did not recover.
    """
    found = Storm()
    async with AsyncExitStack() as stack:
        asks = [
            await stack.enter_async_context(an_asker(protocol, address)) for _ in range(CLIENTS)
        ]
        started = time.monotonic()
        until = started + seconds
        pause = CLIENTS / rate
        await asyncio.gather(
            *(
                _keep_asking(ask, found, place * pause / CLIENTS, pause, until)
                for place, ask in enumerate(asks)
            )
        )
        began = time.monotonic()
        found.seconds = began - started
        async with asyncio.timeout(WITHIN_S):
            while await asks[0](WITHIN_S) is not Outcome.ANSWERED:
                pass
        found.recovered_s = time.monotonic() - began
    return found


async def _keep_asking(ask: Ask, found: Storm, offset: float, pause: float, until: float) -> None:
    due = time.monotonic() + offset
    while due < until:
        # The pace of an arrival process, not a wait for something to happen.
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        began = time.monotonic()
        outcome = await ask(WITHIN_S)
        found.outcomes[outcome] += 1
        if outcome is Outcome.ANSWERED:
            found.latencies.append(time.monotonic() - began)
        due += pause
