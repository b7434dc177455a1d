"""`jina export`: a Flow or the schemas in the form that something else reads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jina_cli.errors import CannotWrite, UsageError
from jina_cli.files import write_whole_text

if TYPE_CHECKING:
    from jina_cli.plan.models import Plan

export = typer.Typer(help="Write a flowchart or the JSON schema.")

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
    config: Annotated[str, typer.Argument(metavar="FLOW", help="YAML of the Flow.")],
    target: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="Where to: .svg, or .mmd, .md for mermaid text."),
    ] = None,
    out: Annotated[str, _OUT] = "-",
    vertical_layout: Annotated[
        bool, typer.Option("--vertical-layout", help="From top to bottom.")
    ] = False,
) -> None:
    """Draw a Flow, without network: as mermaid text, or as SVG if the file ends in .svg."""
    from jina_cli.export.flowchart import mermaid, svg

    path = target or out
    suffix = Path(path).suffix.lower()
    if path != "-" and suffix not in ("", ".svg", ".mmd", ".mermaid", ".md", ".txt"):
        raise UsageError(f"cannot draw a {suffix} file", hint="take .svg or .mmd")
    plan = _plan_of(config)
    draw = svg if suffix == ".svg" else mermaid
    text = draw(plan, vertical=vertical_layout)
    write(f"```mermaid\n{text}```\n" if suffix == ".md" else text, path)


def write(text: str, path: str) -> None:
    """Write `text` to a file, whole or not at all; `-` is stdout.

    Raises:
        CannotWrite: The file cannot be made.
    """
    if path == "-":
        sys.stdout.write(text)
        return
    place = Path(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole_text(place, text)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from error


def _plan_of(config: str) -> Plan:
    from jina_cli.plan.expand import expand
    from jina_cli.spec.load import load_flow

    spec = load_flow(config, env=os.environ).spec
    # Nothing is started: the folders only have to have names.
    nowhere = Path("/run/jina")
    return expand(spec, run_dir=nowhere, log_dir=nowhere, workspace=Path.cwd(), environ=os.environ)
