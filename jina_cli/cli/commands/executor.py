"""`jina executor` and `jina deployment`: serve one Executor alone."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from jina_cli.cli import options as opt
from jina_cli.cli.settings import from_files, settings_of
from jina_cli.cli.staying import Stay, end_on_sigterm, stay_with, variables_of
from jina_cli.vocabulary import ALLOW_INSTALL

_PAIRS = "KEY=VALUE"

Name = Annotated[str, typer.Option(metavar="NAME", help="Of the Pod.")]
Replicas = Annotated[int | None, typer.Option(min=1, help="Processes that share the work.")]
Shards = Annotated[int | None, typer.Option(min=1, help="Parts that the data is split into.")]
With = Annotated[
    list[str] | None,
    typer.Option(metavar=_PAIRS, help="Argument of the Executor; may be repeated."),
]
Metas = Annotated[
    list[str] | None, typer.Option(metavar=_PAIRS, help="One of its metas; may be repeated.")
]
Requests = Annotated[
    list[str] | None,
    typer.Option(metavar="ENDPOINT=METHOD", help="Which method answers; may be repeated."),
]
Modules = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="Python that is imported before; may be repeated."),
]


def executor(
    ctx: typer.Context,
    uses: Annotated[
        str,
        typer.Option(
            metavar="CLASS",
            help="file.py:Class, module:Class, the name of a built-in one, or the YAML of an "
            "Executor or a Deployment.",
        ),
    ],
    name: Name = "",
    port: opt.Ports = None,
    protocol: opt.Protocols = None,
    host: opt.Host = "",
    workspace: opt.Workspace = "",
    replicas: Replicas = None,
    shards: Shards = None,
    uses_with: With = None,
    uses_metas: Metas = None,
    uses_requests: Requests = None,
    py_modules: Modules = None,
    env: opt.Env = None,
    lenient: opt.Lenient = False,
    allow_install: opt.AllowInstall = False,
    dry_run: opt.DryRun = False,
    timeout_ready: opt.TimeoutReady = "",
    exit_on: opt.ExitOnOption = "failure",
    grace: opt.Grace = "30s",
    ready_fd: opt.ReadyFd = None,
    log_format: opt.LogFormatOption = "text",
    log_dir: opt.LogDir = "",
    no_log_prefix: opt.NoLogPrefix = False,
    native: opt.IgnoredSwitch = False,
    noblock_on_start: opt.IgnoredSwitch = False,
    k8s_namespace: opt.Ignored = None,
    pod_role: opt.Ignored = None,
    runtime_cls: opt.Ignored = None,
    key: opt.Keys = None,
) -> None:
    """Serve one Executor alone, or what a Deployment's YAML describes, until it is told to stop.

    It answers as a Flow does, by gRPC if nothing else is said: to clients, and as an external
    Pod (`external: true`) to any other Flow.
    """
    from jina_cli.cli.alone import keyed, one_executor
    from jina_cli.cli.jina_flags import keys_of

    end_on_sigterm()
    settings = settings_of(ctx)
    os.environ.update(variables_of(env or ()))
    if allow_install:
        os.environ[ALLOW_INSTALL] = "1"
    said = {
        "name": name,
        "host": host,
        "protocol": [each.value for each in protocol or ()],
        "port": port or ([0] * len(protocol) if protocol else None),
        "workspace": os.path.abspath(workspace) if workspace else "",
        "replicas": replicas,
        "shards": shards,
        "uses_with": keyed(uses_with or (), "--uses-with"),
        "uses_metas": keyed(uses_metas or (), "--uses-metas"),
        "uses_requests": keyed(uses_requests or (), "--uses-requests"),
        "py_modules": py_modules,
        **keys_of(key or ()),
    }
    loaded = one_executor(uses, said, lenient=lenient, from_file=from_files(ctx))
    for warning in () if settings.quiet else loaded.warnings:
        print(f"jina: warning: {warning.span}: {warning.message}", file=sys.stderr)
    how = Stay(
        dry_run=dry_run,
        timeout_ready=timeout_ready,
        exit_on=exit_on,
        grace=grace,
        ready_fd=ready_fd,
        log_format=log_format,
        log_dir=log_dir,
        no_log_prefix=no_log_prefix,
        # Several may be served of one class; a Deployment's file is known by its name.
        instance="" if loaded.spec.source.endswith((".yml", ".yaml")) else str(os.getpid()),
    )
    stay_with(loaded.spec, how, settings)
