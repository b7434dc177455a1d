"""When a replica is left out, and when it is asked again: histories of what became of it."""

from __future__ import annotations

import pytest

from jina_cli.wire.circuit import (
    FRESH,
    Circuit,
    CircuitState,
    Policy,
    failed,
    is_due,
    probed,
    succeeded,
)

POLICY = Policy(failures=3, first_s=1.0, last_s=4.0)
CLOSED, OPEN, PROBED = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.PROBED

HISTORIES: dict[str, tuple[str, CircuitState, float]] = {
    "is asked while it answers": ("+++", CLOSED, 0),
    "is asked after failures that are not in a row": ("--+--", CLOSED, 0),
    "is left out after three in a row": ("---", OPEN, 1),
    "is left out no longer for what it was asked before": ("-----", OPEN, 1),
    "waits for its probe though an old question is answered": ("---+", OPEN, 1),
    "is probed when its time is over": ("---?", PROBED, 1),
    "is asked again once it answers the probe": ("---?+", CLOSED, 0),
    "is left out twice as long where the probe fails": ("---?-", OPEN, 2),
    "is left out no longer than there is a bound": ("---?-?-?-?-", OPEN, 4),
    "begins anew after it was back": ("---?+--", CLOSED, 0),
    "is left out for a short time after it was back": ("---?-?+---", OPEN, 1),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_a_replica(history: str) -> None:
    events, state, wait_s = HISTORIES[history]

    circuit, now = FRESH, 0.0
    for event in events:
        match event:
            case "+":
                circuit = succeeded(circuit)
            case "-":
                circuit = failed(circuit, POLICY, now, jitter=1.0)
            case _:
                now = circuit.until
                assert is_due(circuit, now)
                circuit = probed(circuit)

    assert circuit.state is state
    if state is OPEN:
        assert circuit.until - now == wait_s


def test_a_replica_that_answers_is_as_fresh_as_one_that_was_never_asked() -> None:
    assert succeeded(Circuit(failures=2)) is FRESH


@pytest.mark.parametrize(("jitter", "wait_s"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_the_wait_is_between_half_its_length_and_all_of_it(jitter: float, wait_s: float) -> None:
    circuit = failed(Circuit(ejections=2, failures=2), POLICY, 10.0, jitter)

    assert circuit.until == 10.0 + wait_s


def test_nobody_is_probed_too_early_or_twice() -> None:
    circuit = failed(Circuit(failures=2), POLICY, 0.0, jitter=1.0)

    assert not is_due(circuit, 0.99)
    assert is_due(circuit, 1.0)
    assert not is_due(probed(circuit), 2.0)
    assert not is_due(FRESH, 2.0)
