"""Whether a replica is worth asking, as a function of what became of what it was asked.

No clock, no connection. Times are seconds of the monotonic clock.

    CLOSED --too many failures in a row--> OPEN --its time is over--> PROBED --answered--> CLOSED
                                            ^                            |
                                            +-----failed, twice as long--+
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class CircuitState(enum.Enum):
    CLOSED = "closed"  # is asked
    OPEN = "open"  # is not asked while others are there
    PROBED = "probed"  # is asked one thing that does no harm


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a replica is left out, and for how long.

    Attributes:
        failures: In a row, after which it is.
        first_s: How long at first; each time that it fails its probe, twice as long.
        last_s: No longer than this.
    """

    failures: int = 5
    first_s: float = 1.0
    last_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is known of one replica.

    Attributes:
        failures: In a row.
        ejections: In a row, without an answered probe between them.
        until: When an open circuit may be probed.
    """

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    ejections: int = 0
    until: float = 0.0

    @property
    def is_closed(self) -> bool:
        return self.state is CircuitState.CLOSED


FRESH = Circuit()


def failed(circuit: Circuit, policy: Policy, now: float, jitter: float) -> Circuit:
    """Return the circuit after a failure.

    What fails while it is open was asked before, and says nothing new.

    Args:
        jitter: From 0 to 1, so that many Gateways do not probe at the same time: the wait is
            between half its length and all of it.
    """
    if circuit.state is CircuitState.OPEN:
        return circuit
    failures = circuit.failures + 1
    if circuit.state is CircuitState.CLOSED and failures < policy.failures:
        return replace(circuit, failures=failures)
    wait_s = min(policy.first_s * 2.0 ** min(circuit.ejections, 30), policy.last_s)
    return Circuit(
        state=CircuitState.OPEN,
        failures=failures,
        ejections=circuit.ejections + 1,
        until=now + wait_s * (1 + jitter) / 2,
    )


def succeeded(circuit: Circuit) -> Circuit:
    """Return the circuit after an answer; an open one waits for its probe all the same."""
    return circuit if circuit.state is CircuitState.OPEN else FRESH


def is_due(circuit: Circuit, now: float) -> bool:
    """Say whether it is time for a probe."""
    return circuit.state is CircuitState.OPEN and now >= circuit.until


def probed(circuit: Circuit) -> Circuit:
    """Return the circuit while its probe is under way."""
    return replace(circuit, state=CircuitState.PROBED)
