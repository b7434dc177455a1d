"""Options that several commands have, each told once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from jina_cli.vocabulary import ALLOW_INSTALL, Protocol

ExitOn = Literal["none", "failure", "first", "all"]
LogFormat = Literal["text", "json"]

Ports = Annotated[
    list[int] | None,
    typer.Option("--port", metavar="PORT", help="Of the Gateway, over the YAML; 0 takes any."),
]
Protocols = Annotated[
    list[Protocol] | None,
    typer.Option(
        "--protocol",
        help="Of the Gateway, over the YAML; repeat it for more than one.",
    ),
]
Workspace = Annotated[
    str,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Where Executors keep what they know, if the YAML names no place.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("-f", "--override", metavar="FILE", help="YAML laid over it; may be repeated."),
]
Env = Annotated[
    list[str] | None,
    typer.Option("--env", metavar="NAME=VALUE", help="Variable for the YAML and all processes."),
]
Lenient = Annotated[
    bool, typer.Option("--lenient", envvar="JINA_LENIENT", help="Unknown keys are warnings.")
]
AllowInstall = Annotated[
    bool,
    typer.Option(
        "--allow-install",
        envvar=ALLOW_INSTALL,
        help="Let pip install what Executors ask for (install_requirements).",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would run, and start nothing.")]
TimeoutReady = Annotated[
    str,
    typer.Option(
        "--timeout-ready",
        "--wait-timeout",
        metavar="TIME",
        help="Give up if not all is ready by then; else each Pod's own timeout_ready holds.",
    ),
]
ExitOnOption = Annotated[
    ExitOn,
    typer.Option(
        "--exit-on",
        help="When to end unasked: never, when a Pod has failed for good, when a process "
        "ended even if it would be restarted, or when all Pods have failed.",
    ),
]
Grace = Annotated[
    str,
    typer.Option("--grace", metavar="TIME", help="From the first signal to the end of all."),
]
ReadyFd = Annotated[
    int | None,
    typer.Option(
        "--ready-fd", metavar="N", help="Write a line of JSON to this descriptor when ready."
    ),
]
LogFormatOption = Annotated[
    LogFormat, typer.Option("--log-format", help="How log lines are written to stdout.")
]
LogDir = Annotated[
    str,
    typer.Option("--log-dir", metavar="DIR", help="Where the log file of each process goes."),
]
NoLogPrefix = Annotated[
    bool, typer.Option("--no-log-prefix", help="Log lines without the name in front.")
]
Host = Annotated[str, typer.Option(metavar="HOST", help="Address that is listened on.")]
Ignored = Annotated[list[str] | None, typer.Option(hidden=True)]
"""What manifests made for Jina say, and what has no meaning here."""
IgnoredSwitch = Annotated[bool, typer.Option(hidden=True)]
Keys = Annotated[list[str] | None, typer.Option("--key", hidden=True)]
"""Keys of the YAML that have no option of their own; see `jina_flags`."""
