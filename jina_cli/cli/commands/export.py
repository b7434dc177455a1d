"""`jina export`: a Flow, or what is known of the product, in the form that something else reads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jina_cli.cli import options as opt
from jina_cli.cli.settings import settings_of
from jina_cli.errors import UsageError
from jina_cli.files import save_text

if TYPE_CHECKING:
    from jina_cli.plan.models import Plan

export = typer.Typer(help="Write a flowchart, schemas, .proto files or the OpenAPI description.")

_OUT = typer.Option("-o", "--out", metavar="FILE", help="Where to; `-` is stdout.")


@export.command()
def schema(
    ctx: typer.Context,
    out: Annotated[str, _OUT] = "-",
    schema_path: Annotated[
        list[str] | None,
        typer.Option("--schema-path", metavar="FILE", help="Where to, as in Jina; repeatable."),
    ] = None,
    draft: Annotated[
        Literal["2020-12", "7"], typer.Option(help="Of JSON Schema; editors want 7.")
    ] = "2020-12",
    kind: Annotated[
        Literal["flow", "pod", "gateway", "executor", "driver"],
        typer.Option(help="Of what."),
    ] = "flow",
) -> None:
    """Write the JSON schema of a Flow's YAML, in one document."""
    import json

    from jina_cli.export.schema import bundle

    text = json.dumps(bundle(kind, draft), indent=2, ensure_ascii=False) + "\n"
    for path in schema_path or [out]:
        write(text, path)


@export.command()
def flowchart(
    ctx: typer.Context,
    config: Annotated[
        str, typer.Argument(metavar="FLOW", help="YAML of the Flow or name of a ready-made one.")
    ],
    target: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="Where to: .svg, or .mmd, .md for mermaid text."),
    ] = None,
    out: Annotated[str, _OUT] = "-",
    vertical_layout: Annotated[
        bool, typer.Option("--vertical-layout", help="From top to bottom.")
    ] = False,
    lenient: opt.Lenient = False,
) -> None:
    """Draw a Flow, without network: as mermaid text, or as SVG if the file ends in .svg."""
    from jina_cli.export.flowchart import mermaid, svg

    path = target or out
    suffix = Path(path).suffix.lower()
    if path != "-" and suffix not in ("", ".svg", ".mmd", ".mermaid", ".md", ".txt"):
        raise UsageError(f"cannot draw a {suffix} file", hint="take .svg or .mmd")
    plan = _plan_of(config, lenient=lenient)
    draw = svg if suffix == ".svg" else mermaid
    text = draw(plan, vertical=vertical_layout)
    write(f"```mermaid\n{text}```\n" if suffix == ".md" else text, path)


@export.command()
def proto(
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="DIR", help="Where to; `-` is stdout.")
    ] = "-",
) -> None:
    """Write the .proto files that gRPC clients in other languages are made of."""
    from jina_cli.wire.descriptors import PROTO_DIR

    for path in sorted(PROTO_DIR.glob("*.proto")):
        text = path.read_text("utf-8")
        if out == "-":
            write(f"// {path.name}\n{text}\n", out)
        else:
            write(text, str(Path(out, path.name)))


@export.command()
def openapi(
    ctx: typer.Context,
    config: Annotated[
        str,
        typer.Argument(
            metavar="[FLOW]",
            help="YAML of the Flow; it is started for the time it takes to ask it.",
            show_default=False,
        ),
    ] = "",
    target: Annotated[str, typer.Argument(metavar="[FILE]", help="The same as --out FILE.")] = "",
    out: Annotated[str, _OUT] = "-",
    host: Annotated[
        str, typer.Option(metavar="URL", help="A Flow that runs, http://HOST:PORT, instead.")
    ] = "",
    lenient: opt.Lenient = False,
) -> None:
    """Write the OpenAPI description of a Flow's HTTP API, with the schemas of its Executors."""
    from jina_cli.cli.openapi import description_at, description_of
    from jina_cli.cli.session import run_batch

    if bool(config) == bool(host):
        what = "both FLOW and --host are given" if host else "no Flow is named"
        raise UsageError(what, hint="jina export openapi FLOW")
    settings = settings_of(ctx)
    found = run_batch(
        lambda: description_at(host) if host else description_of(config, settings, lenient=lenient)
    )
    write(found, target or out)


def write(text: str, path: str) -> None:
    """Write `text` to a file, whole or not at all; `-` is stdout.

    Raises:
        CannotWrite: The file cannot be made.
    """
    if path == "-":
        sys.stdout.write(text)
        return
    save_text(Path(path), text)


def _plan_of(config: str, *, lenient: bool) -> Plan:
    from jina_cli.cli.bundled import flow_file
    from jina_cli.plan.expand import expand
    from jina_cli.spec.load import load_flow

    spec = load_flow(flow_file(config), env=os.environ, lenient=lenient).spec
    # Nothing is started: the folders only have to have names.
    nowhere = Path("/run/jina")
    return expand(spec, run_dir=nowhere, log_dir=nowhere, workspace=Path.cwd(), environ=os.environ)
