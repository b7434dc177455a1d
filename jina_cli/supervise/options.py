"""What a Supervisor is told before it begins, and what it tells at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jina_cli.errors import JinaError
from jina_cli.supervise.flow_machine import ExitOn, Phase
from jina_cli.supervise.running import Recipe
from jina_cli.supervise.spawn import Warming


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a Flow is run; nothing of it is in its YAML.

    Attributes:
        ready_within_s: From start until all Pods are ready; None leaves it to each Pea.
        grace_s: From the first wish to stop until what is left is killed.
        is_lasting: Whether other commands may use it while it runs.
        warming: A spawner that was started before; the Supervisor takes it over.
        on_phase: Told each phase of the Flow; with `DRAINING` the number of requests that
            are still worked on, if that is known.
    """

    exit_on: ExitOn = ExitOn.FAILURE
    ready_within_s: float | None = None
    grace_s: float = 30.0
    is_lasting: bool = False
    recipe: Recipe = field(default_factory=Recipe)
    warming: Warming | None = None
    on_phase: Callable[[Phase, int | None], None] = lambda phase, pending: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a Flow ended.

    Attributes:
        killed: Peas that did not end by themselves in time.
        unclean: What there is to say of Peas that broke while they stopped, a line each.
        failure: What ended it; None if it was asked to.
        statuses: Exit status of the last process of each Pea, below zero for a signal; of the
            one that ended the Flow, the status that it ended it with.
    """

    killed: tuple[str, ...] = ()
    unclean: tuple[str, ...] = ()
    failure: JinaError | None = None
    statuses: Mapping[str, int] = field(default_factory=dict)
