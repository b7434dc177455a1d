"""`jina delete`: take documents out of an index."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import finding
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import UsageError

if TYPE_CHECKING:
    from jina_cli.cli.kept import Index, Kept

SCHEMA = "jina.delete/1"
PAGE = 1024
"""Ids in a request."""


def delete(
    ctx: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of documents; - for stdin, one a line."),
    ] = None,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    where: finding.Where = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --where.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many documents it would be.")
    ] = False,
    timeout: asking.Timeout = "120s",
    lenient: opt.Lenient = False,
) -> None:
    """Delete documents by id, or those of which a condition holds.

    Ids that are not there are no error: what is printed is how many documents were deleted.
    With --where it asks first, as long as there is a terminal to ask; elsewhere say --yes.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.ids import ids_of
    from jina_cli.cli.kept import Kept
    from jina_cli.cli.session import place_of, run_batch

    settings = settings_of(ctx)
    if bool(ids) == bool(where.strip()):
        what = "both ids and --where are given" if ids else "nothing says what to delete"
        raise UsageError(what, hint="jina delete ID…, or jina delete --where CONDITION")
    asks = bool(where) and not yes and not dry_run
    if asks and (settings.no_input or sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("--where may delete much, and there is nobody to ask", hint="say --yes")
    kept = Kept(
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        settings=settings,
        parameters=finding.where_of(where),
        target="",
        timeout_s=seconds_of(timeout, "--timeout"),
    )
    named = ids_of(ids) if ids else []
    run_batch(lambda: _run(kept, named, settings, asks=asks, dry_run=dry_run))


async def _run(
    kept: Kept, ids: Sequence[str], settings: Settings, *, asks: bool, dry_run: bool
) -> None:
    from jina_cli.cli.render import Output

    output = Output(settings)
    async with kept.connected() as index:
        if dry_run or asks:
            concerned = await _concerned(index, ids)
        if asks and not _confirmed(concerned):
            output.note("nothing was deleted")
            return
        deleted = concerned if dry_run else await _delete(index, ids)
    if settings.json:
        output.json({"schema": SCHEMA, "deleted": deleted, "dry_run": dry_run})
        return
    noun = "document" if deleted == 1 else "documents"
    output.note(f"{deleted:,} {noun} {'would be ' if dry_run else ''}deleted")


async def _concerned(index: Index, ids: Sequence[str]) -> int:
    if not ids:
        return max((await index.counts()).values())
    pages = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
    return sum([len(await index.get(page)) for page in pages])


async def _delete(index: Index, ids: Sequence[str]) -> int:
    if not ids:
        return await index.delete([])
    pages = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
    return sum([await index.delete(page) for page in pages])


def _confirmed(documents: int) -> bool:
    noun = "document" if documents == 1 else "documents"
    return typer.confirm(f"delete {documents:,} {noun}?", err=True)
