"""`jina flow`: start a Flow from its YAML file and stay with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jina_cli.cli.duration import seconds_of
from jina_cli.cli.settings import Settings, settings_of
from jina_cli.errors import Exit, UsageError
from jina_cli.vocabulary import DEFAULT_WORKSPACE, Protocol

if TYPE_CHECKING:
    from jina_cli.plan.models import Plan
    from jina_cli.spec.models import FlowSpec
    from jina_cli.spec.override import Setting

DEREGISTER_S = 1.0
"""How long a Flow that load balancers know still accepts after it said that it is not ready."""

ExitOn = Literal["none", "failure", "first", "all"]
LogFormat = Literal["text", "json"]


def flow(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="The same as --uses FILE.", show_default=False)
    ] = "",
    uses: Annotated[
        str, typer.Option(metavar="FILE", help="The Flow's YAML file.", show_default=False)
    ] = "",
    override: Annotated[
        list[str] | None,
        typer.Option(
            "-f", "--override", metavar="FILE", help="YAML laid over it; may be repeated."
        ),
    ] = None,
    workspace: Annotated[
        str,
        typer.Option(
            metavar="DIR", help="Where Executors keep what they know, if the YAML names no place."
        ),
    ] = "",
    port: Annotated[
        list[int] | None,
        typer.Option(metavar="PORT", help="Of the Gateway, over the YAML; 0 takes any."),
    ] = None,
    protocol: Annotated[
        list[Protocol] | None,
        typer.Option(help="Of the Gateway, over the YAML; repeat it for more than one."),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Variable for the YAML and all processes."),
    ] = None,
    lenient: Annotated[
        bool,
        typer.Option("--lenient", envvar="JINA_LENIENT", help="Unknown keys are warnings."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would run, and start nothing.")
    ] = False,
    timeout_ready: Annotated[
        str,
        typer.Option(
            "--timeout-ready",
            "--wait-timeout",
            metavar="TIME",
            help="Give up if not all is ready by then; else each Pod's own timeout_ready holds.",
        ),
    ] = "",
    exit_on: Annotated[
        ExitOn,
        typer.Option(
            help="When to end unasked: never, when a Pod has failed for good, when a process "
            "ended even if it would be restarted, or when all Pods have failed."
        ),
    ] = "failure",
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="The same as --exit-on none.")
    ] = False,
    exit_code_from: Annotated[
        str, typer.Option(metavar="POD", help="Exit with the exit code of this Pod.")
    ] = "",
    grace: Annotated[
        str, typer.Option(metavar="TIME", help="From the first signal to the end of all.")
    ] = "30s",
    ready_fd: Annotated[
        int | None,
        typer.Option(metavar="N", help="Write a line of JSON to this descriptor when ready."),
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option(help="How log lines are written to stdout.")
    ] = "text",
    log_dir: Annotated[
        str, typer.Option(metavar="DIR", help="Where the log file of each process goes.")
    ] = "",
    no_log_prefix: Annotated[
        bool, typer.Option("--no-log-prefix", help="Log lines without the name in front.")
    ] = False,
    attach: Annotated[
        list[str] | None,
        typer.Option(metavar="POD", help="Show the logs of this Pod only; may be repeated."),
    ] = None,
    no_attach: Annotated[
        list[str] | None,
        typer.Option(metavar="POD", help="Do not show the logs of this Pod; may be repeated."),
    ] = None,
) -> None:
    """Start a Flow from its YAML file, show its logs, and stay until it is told to stop.

    Ctrl-C (or SIGTERM) finishes the requests that are there and stops all Pods in order; a
    second one stops them now, a third kills them.
    """
    from jina_cli.cli.render import uses_color

    # Until something runs there is nothing to drain: SIGTERM just ends it, in order.
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(Exit.OK))
    settings = settings_of(ctx)
    # The environment is how they reach the YAML and, unchanged, every process.
    os.environ.update(variables_of(env or ()))
    over = [*(override or ()), *settings_over(port or (), protocol or (), workspace)]
    spec = _load(_one_file(file, uses), over, settings, lenient=lenient)
    if dry_run:
        from jina_cli.plan.tree import render

        print(render(_planned(spec, log_dir=log_dir, settings=settings)))
        return
    from jina_cli.cli.headstart import headstart

    with headstart(spec) as warming:
        from jina_cli.cli.keeper import Keeping, become

        plan = _planned(spec, log_dir=log_dir, settings=settings)
        keeping = Keeping(
            plan=plan,
            words=tuple(sys.argv[1:]),
            exit_on="none" if keep_going else exit_on,
            exit_code_from=_known_pod(exit_code_from, plan, "--exit-code-from"),
            grace_s=seconds_of(grace, "--grace"),
            ready_within_s=seconds_of(timeout_ready, "--timeout-ready") if timeout_ready else None,
            deregister_s=0.0 if sys.stderr.isatty() else DEREGISTER_S,
            ready_fd=_open_fd(ready_fd),
            log_format=log_format,
            prefix=not no_log_prefix,
            colour=uses_color(settings.color, sys.stdout),
            align=sys.stdout.isatty(),
            shown=_shown(plan, attach or (), no_attach or ()),
            is_quiet=settings.quiet,
            warming=warming if any(pea.forkable for pea in plan.peas) else None,
        )
        become(keeping)


def _one_file(file: str, uses: str) -> str:
    if bool(file) == bool(uses):
        what = "both FILE and --uses are given" if file else "no YAML file is given"
        raise UsageError(what, hint="jina flow --uses FILE")
    return file or uses


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


def settings_over(
    ports: Sequence[int], protocols: Sequence[Protocol], workspace: str
) -> list[Setting]:
    """Return what options say of the Flow as YAML would, so that it is checked like YAML."""
    from jina_cli.spec.override import Setting

    found = []
    if protocols:
        names = [each.value for each in protocols]
        found.append(Setting(key="gateway.protocol", value=names, origin="--protocol"))
        ports = ports or [0] * len(protocols)
    if ports:
        found.append(Setting(key="gateway.port", value=list(ports), origin="--port"))
    if workspace:
        path = os.path.abspath(workspace)
        found.append(Setting(key="workspace", value=path, origin="--workspace"))
    return found


def _load(
    uses: str, over: Sequence[str | Setting], settings: Settings, *, lenient: bool
) -> FlowSpec:
    from jina_cli.spec.load import load_flow

    loaded = load_flow(uses, overrides=over, env=os.environ, lenient=lenient)
    for warning in () if settings.quiet else loaded.warnings:
        print(f"jina: warning: {warning.span}: {warning.message}", file=sys.stderr)
    return loaded.spec


def _planned(spec: FlowSpec, *, log_dir: str, settings: Settings) -> Plan:
    from jina_cli.plan.expand import expand
    from jina_cli.supervise.registry import log_dir_for, run_dir_for

    root = Path(os.path.abspath(spec.workspace or DEFAULT_WORKSPACE))
    project = settings.project
    logs = Path(log_dir or log_dir_for(spec.name, spec.source, str(root), project=project))
    return expand(
        spec,
        run_dir=run_dir_for(spec.source, str(root), project=project),
        log_dir=logs,
        workspace=root,
        environ=os.environ,
    )


def _shown(plan: Plan, attach: Sequence[str], no_attach: Sequence[str]) -> tuple[str, ...] | None:
    """Return the Pods whose logs are shown; None for all."""
    pods = {pea.pod for pea in (plan.gateway, *plan.peas)}
    shown = {_known_pod(pod, plan, "--attach") for pod in attach} or pods
    shown -= {_known_pod(pod, plan, "--no-attach") for pod in no_attach}
    return None if shown == pods else (*sorted(shown), plan.flow)


def _known_pod(pod: str, plan: Plan, option: str) -> str:
    pods = {pea.pod for pea in (plan.gateway, *plan.peas)}
    if pod and pod not in pods:
        raise UsageError(f"{option}: no Pod {pod!r}", hint=f"one of {', '.join(sorted(pods))}")
    return pod


def _open_fd(number: int | None) -> int | None:
    if number is None:
        return None
    try:
        os.fstat(number)
    except OSError:
        raise UsageError(f"--ready-fd {number} is not open") from None
    return number
