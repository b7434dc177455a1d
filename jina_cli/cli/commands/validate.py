"""`jina validate`: check YAML files, and start nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli.settings import settings_of
from jina_cli.errors import Exit, InputMissing

if TYPE_CHECKING:
    from jina_cli.diagnostics import Diagnostic
    from jina_cli.spec.load import Checked

STDIN = "-"
"""The file that is read from standard input; what it names is looked for in the cwd."""


def validate(
    ctx: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="YAML of Flows, Deployments or Executors; - for stdin."
        ),
    ],
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient",
            help="Unknown keys are warnings.",
            envvar=["JINA_VALIDATE_LENIENT", "JINA_LENIENT"],
        ),
    ] = False,
) -> None:
    """Check YAML files, the files they name included; runs no code of theirs.

    All problems of all files are shown at once, on stderr. Exits with 78 if there is an error,
    with 66 if a file is not there.
    """
    from jina_cli.cli.render import Output

    settings = settings_of(ctx)
    output = Output(settings)
    text = read_stdin() if STDIN in files else None
    results, missing = check_all(files, lenient=lenient, stdin=text)
    for result in results:
        if settings.output == "json":
            output.json(result.record())
        elif result.checked.is_valid and not settings.quiet:
            output.result(result.sentence())
    found = [each for result in results for each in result.checked.diagnostics]
    if found:
        typer.echo(_rendered(found, settings.output, output.err_colors, text), err=True)
    for error in missing[:-1]:
        output.warn(str(error))
    if any(not result.checked.is_valid for result in results):
        if missing:
            output.warn(str(missing[-1]))
        raise typer.Exit(Exit.BAD_SPEC)
    if missing:
        raise missing[-1]


@dataclass(frozen=True, slots=True)
class Result:
    """What was found out about one file."""

    file: str
    checked: Checked

    def sentence(self) -> str:
        """Return one line that says that the file is valid, and what it is."""
        spec = self.checked.spec
        pods = getattr(spec, "executors", ())
        what = self.checked.kind.capitalize()
        if self.checked.kind == "flow":
            what += f" of {len(pods)} Pod" + ("" if len(pods) == 1 else "s")
        return f"{self.file}: valid {what}"

    def record(self) -> dict[str, object]:
        """Return the same for machines."""
        from jina_cli.diagnostics import Severity

        severities = [each.severity for each in self.checked.diagnostics]
        return {
            "schema": "jina.validate/1",
            "file": self.file,
            "kind": self.checked.kind or None,
            "valid": self.checked.is_valid,
            "errors": severities.count(Severity.ERROR),
            "warnings": severities.count(Severity.WARNING),
        }


def read_stdin() -> bytes:
    """Return standard input, or a little more of it than a file may have."""
    from jina_cli.spec.reading import MAX_BYTES

    return sys.stdin.buffer.read(MAX_BYTES + 1)


def check_all(
    files: Sequence[str], *, lenient: bool, stdin: bytes | None = None
) -> tuple[list[Result], list[InputMissing]]:
    """Return what there is to say about each file, and those that are not there.

    Args:
        stdin: What stands in the file `-`.
    """
    from jina_cli.spec.load import check_file

    results: list[Result] = []
    missing: list[InputMissing] = []
    for file in dict.fromkeys(files):
        try:
            text = stdin if file == STDIN else None
            checked = check_file(file, env=os.environ, lenient=lenient, text=text)
        except InputMissing as error:
            missing.append(error)
            continue
        results.append(Result(file, _planned(checked)))
    return results, missing


def _planned(checked: Checked) -> Checked:
    """Return a valid Flow's result with what planning it and the published schema say."""
    from dataclasses import replace

    from jina_cli.export.referee import disagreements
    from jina_cli.plan.check import problems_of
    from jina_cli.spec.models import FlowSpec

    if not checked.is_valid or not isinstance(checked.spec, FlowSpec):
        return checked
    more = [*problems_of(checked.spec, os.environ), *disagreements(checked.spec)]
    return replace(checked, diagnostics=(*checked.diagnostics, *more))


def _rendered(found: Sequence[Diagnostic], style: str, color: bool, stdin: bytes | None) -> str:
    from jina_cli.cli.render_diagnostics import read_sources, render
    from jina_cli.spec.source import lines_of

    sources = dict(read_sources(found))
    if stdin is not None:
        sources[STDIN] = lines_of(stdin.decode("utf-8-sig", "replace"))
    return render(found, style, sources, color=color)
