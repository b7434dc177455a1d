"""From a Flow's model to the process that stays with it: what `jina flow` and its kin share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jina_cli.cli.duration import seconds_of
from jina_cli.cli.settings import Settings
from jina_cli.errors import Exit, UsageError

if TYPE_CHECKING:
    from jina_cli.cli.keeper import Keeping
    from jina_cli.plan.models import Plan
    from jina_cli.spec.models import FlowSpec

DEREGISTER_S = 1.0
"""How long a Flow that load balancers know still accepts after it said that it is not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How a command stays with its Flow; fields are named as the options.

    Attributes:
        instance: Set where others of the same source may run beside it.
    """

    dry_run: bool = False
    timeout_ready: str = ""
    exit_on: str = "failure"
    exit_code_from: str = ""
    grace: str = "30s"
    ready_fd: int | None = None
    log_format: str = "text"
    log_dir: str = ""
    no_log_prefix: bool = False
    attach: Sequence[str] = ()
    no_attach: Sequence[str] = ()
    instance: str = ""


def end_on_sigterm() -> None:
    """Until something runs there is nothing to drain: SIGTERM just ends the command, in order."""
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(Exit.OK))


def stay_with(spec: FlowSpec, how: Stay, settings: Settings) -> None:
    """Become the process that keeps the Flow; return only if it is not to be started.

    Raises:
        UsageError: An option names what is not there.
        SpecInvalid: The Flow cannot be planned.
    """
    from jina_cli.orchestrate.planning import planned

    def plan_of_it() -> Plan:
        project, logs = settings.project, how.log_dir
        return planned(
            spec, environ=os.environ, project=project, log_dir=logs, instance=how.instance
        )

    if how.dry_run:
        from jina_cli.plan.tree import render

        print(render(plan_of_it()))
        return
    from jina_cli.cli.headstart import headstart

    within_s = seconds_of(how.timeout_ready, "--timeout-ready") if how.timeout_ready else None
    with headstart(spec) as warming:
        from jina_cli.cli.keeper import become

        plan = plan_of_it()
        keeping = _keeping(plan, how, settings, within_s)
        forks = any(pea.forkable for pea in plan.peas)
        become(replace(keeping, warming=warming if forks else None))


def _keeping(plan: Plan, how: Stay, settings: Settings, ready_within_s: float | None) -> Keeping:
    from jina_cli.cli.keeper import Keeping
    from jina_cli.cli.render import uses_color

    return Keeping(
        plan=plan,
        words=tuple(sys.argv[1:]),
        exit_on=how.exit_on,
        exit_code_from=_known_pod(how.exit_code_from, plan, "--exit-code-from"),
        grace_s=seconds_of(how.grace, "--grace"),
        ready_within_s=ready_within_s,
        deregister_s=0.0 if sys.stderr.isatty() else DEREGISTER_S,
        ready_fd=_open_fd(how.ready_fd),
        log_format=how.log_format,
        prefix=not how.no_log_prefix,
        colour=uses_color(settings.color, sys.stdout),
        align=sys.stdout.isatty(),
        shown=_shown(plan, how.attach, how.no_attach),
        is_quiet=settings.quiet,
    )


def variables_of(texts: Sequence[str]) -> Mapping[str, str]:
    """Return `NAME=VALUE` texts by name; `NAME:VALUE` as in Jina is understood too.

    Raises:
        UsageError: A text has no name.
    """
    found: dict[str, str] = {}
    for text in texts:
        equals, colon = text.find("="), text.find(":")
        place = min((at for at in (equals, colon) if at > 0), default=-1)
        if place < 0:
            raise UsageError(f"--env is {text!r}, not NAME=VALUE")
        found[text[:place].strip()] = text[place + 1 :].strip()
    return found


def _shown(plan: Plan, attach: Sequence[str], no_attach: Sequence[str]) -> tuple[str, ...] | None:
    """Return the Pods whose logs are shown; None for all."""
    pods = {pea.pod for pea in (plan.gateway, *plan.peas)}
    shown = {_known_pod(pod, plan, "--attach") for pod in attach} or pods
    shown -= {_known_pod(pod, plan, "--no-attach") for pod in no_attach}
    return None if shown == pods else (*sorted(shown), plan.flow)


def _known_pod(pod: str, plan: Plan, option: str) -> str:
    """Return the Pod whose processes run `pod`: itself, if it has its own."""
    hosts = {pea.pod: pea.pod for pea in (plan.gateway, *plan.peas)}
    hosts.update({fused.pod: pea.pod for pea in plan.peas for fused in pea.fused})
    if pod and pod not in hosts:
        raise UsageError(f"{option}: no Pod {pod!r}", hint=f"one of {', '.join(sorted(hosts))}")
    return hosts.get(pod, "")


def _open_fd(number: int | None) -> int | None:
    if number is None:
        return None
    try:
        os.fstat(number)
    except OSError:
        raise UsageError(f"--ready-fd {number} is not open") from None
    return number
