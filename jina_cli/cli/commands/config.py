"""`jina config`: a Flow as it is understood, defaults and all."""

from __future__ import annotations

import os
import re
from typing import Annotated, Literal

import typer

from jina_cli.cli.settings import settings_of

_SECRET = re.compile(r"token|passw|secret|credential|(api|access|private)[_-]?key", re.IGNORECASE)


def config(
    ctx: typer.Context,
    uses: Annotated[
        str,
        typer.Option(
            "--uses", metavar="FLOW", help="YAML of the Flow or name of a ready-made one."
        ),
    ],
    override: Annotated[
        list[str] | None,
        typer.Option("-f", "--override", metavar="FILE", help="YAML laid over it; repeatable."),
    ] = None,
    format: Annotated[
        Literal["yaml", "json"], typer.Option("--format", help="How it is written.")
    ] = "yaml",
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient",
            help="Unknown keys are warnings.",
            envvar=["JINA_CONFIG_LENIENT", "JINA_LENIENT"],
        ),
    ] = False,
) -> None:
    """Print a Flow as it is understood: variables put in, files read, defaults filled in.

    Values of keys that look like secrets are not printed.
    """
    from jina_cli.cli.bundled import flow_file
    from jina_cli.cli.render import Output
    from jina_cli.cli.render_diagnostics import read_sources, render
    from jina_cli.spec.dump import redacted, to_document, to_yaml
    from jina_cli.spec.load import load_flow

    settings = settings_of(ctx)
    output = Output(settings)
    loaded = load_flow(flow_file(uses), overrides=override or (), env=os.environ, lenient=lenient)
    if loaded.warnings:
        sources = read_sources(loaded.warnings)
        style = settings.output
        output.note(render(loaded.warnings, style, sources, color=output.err_colors))
    document = redacted(to_document(loaded.spec), is_secret)
    if settings.json:
        output.json({"schema": "jina.config/1", "flow": document})
    elif format == "json":
        import orjson

        output.result(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        output.result(to_yaml(document).rstrip("\n"))


def is_secret(key: str) -> bool:
    """Return whether what a key of that name holds should not be shown."""
    return _SECRET.search(key) is not None
