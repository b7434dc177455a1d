"""`jina flow`: start a Flow from its YAML file and stay with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli import options as opt
from jina_cli.cli.bundled import flow_file
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.cli.staying import Stay, end_on_sigterm, stay_with, variables_of
from jina_cli.errors import UsageError
from jina_cli.vocabulary import ALLOW_INSTALL, Protocol

if TYPE_CHECKING:
    from jina_cli.spec.models import FlowSpec
    from jina_cli.spec.override import Setting


def flow(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="The same as --uses FILE.", show_default=False)
    ] = "",
    uses: Annotated[
        str, typer.Option(metavar="FILE", help="The Flow's YAML file.", show_default=False)
    ] = "",
    override: opt.Overrides = None,
    workspace: opt.Workspace = "",
    port: opt.Ports = None,
    protocol: opt.Protocols = None,
    env: opt.Env = None,
    lenient: opt.Lenient = False,
    allow_install: opt.AllowInstall = False,
    dry_run: opt.DryRun = False,
    timeout_ready: opt.TimeoutReady = "",
    exit_on: opt.ExitOnOption = "failure",
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="The same as --exit-on none.")
    ] = False,
    exit_code_from: Annotated[
        str, typer.Option(metavar="POD", help="Exit with the exit code of this Pod.")
    ] = "",
    grace: opt.Grace = "30s",
    ready_fd: opt.ReadyFd = None,
    log_format: opt.LogFormatOption = "text",
    log_dir: opt.LogDir = "",
    no_log_prefix: opt.NoLogPrefix = False,
    attach: Annotated[
        list[str] | None,
        typer.Option(metavar="POD", help="Show the logs of this Pod only; may be repeated."),
    ] = None,
    no_attach: Annotated[
        list[str] | None,
        typer.Option(metavar="POD", help="Do not show the logs of this Pod; may be repeated."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Print the ready-made Flows and what they are for.")
    ] = False,
) -> None:
    """Start a Flow from its YAML file, show its logs, and stay until it is told to stop.

    FILE may also be the name of a ready-made Flow.

    Ctrl-C (or SIGTERM) finishes the requests that are there and stops all Pods in order; a
    second one stops them now, a third kills them.
    """
    end_on_sigterm()
    settings = settings_of(ctx)
    if list_:
        _print_list(settings)
        return
    # The environment is how they reach the YAML and, unchanged, every process.
    os.environ.update(variables_of(env or ()))
    if allow_install:
        os.environ[ALLOW_INSTALL] = "1"
    over = [*(override or ()), *settings_over(port or (), protocol or (), workspace)]
    over = [yielding(each, from_files(ctx)) for each in over]
    spec = load(_one_file(file, uses), over, settings, lenient=lenient)
    how = Stay(
        dry_run=dry_run,
        timeout_ready=timeout_ready,
        exit_on="none" if keep_going else exit_on,
        exit_code_from=exit_code_from,
        grace=grace,
        ready_fd=ready_fd,
        log_format=log_format,
        log_dir=log_dir,
        no_log_prefix=no_log_prefix,
        attach=attach or (),
        no_attach=no_attach or (),
    )
    stay_with(spec, how, settings)


def _one_file(file: str, uses: str) -> str:
    if bool(file) == bool(uses):
        what = "both FILE and --uses are given" if file else "no YAML file is given"
        raise UsageError(what, hint="jina flow --uses FILE")
    return str(flow_file(file or uses))


def _print_list(settings: Settings) -> None:
    from jina_cli.cli.bundled import bundled_flows
    from jina_cli.cli.render import BOLD, Output

    output, flows = Output(settings), bundled_flows()
    width = max(len(each.name) for each in flows)
    for each in flows:
        if settings.json:
            fields = {"name": each.name, "file": str(each.path), "about": each.about}
            output.json({"schema": "jina.flow/1", **fields})
        else:
            output.result(f"{output.paint(each.name.ljust(width), BOLD)}  {each.about}")


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


def yielding(setting: str | Setting, from_file: Collection[str]) -> str | Setting:
    """Return a setting so that one from a file of options does not win over the YAML.

    Args:
        from_file: Names of parameters that such a file gave.
    """
    if isinstance(setting, str) or setting.origin.lstrip("-") not in from_file:
        return setting
    # Under `with`: what the YAML says there, under `gateway` or at the top, all win over it.
    key = f"with.{setting.key.removeprefix('gateway.')}"
    return replace(setting, key=key, yields=True)


def load(
    uses: str, over: Sequence[str | Setting], settings: Settings, *, lenient: bool
) -> FlowSpec:
    """Return the Flow of a file, with its warnings told.

    Raises:
        InputMissing: There is no such file.
        SpecInvalid: With all that is wrong.
    """
    from jina_cli.spec.load import load_flow

    loaded = load_flow(uses, overrides=over, env=os.environ, lenient=lenient)
    for warning in () if settings.quiet else loaded.warnings:
        print(f"jina: warning: {warning.span}: {warning.message}", file=sys.stderr)
    return loaded.spec
