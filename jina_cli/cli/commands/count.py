"""`jina count`: how many documents are indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import finding
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of

if TYPE_CHECKING:
    from jina_cli.cli.kept import Kept

SCHEMA = "jina.count/1"


def count(
    ctx: typer.Context,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    where: finding.Where = "",
    target_executor: asking.Target = "",
    timeout: asking.Timeout = "120s",
    lenient: opt.Lenient = False,
) -> None:
    """Print how many documents are indexed.

    Where several Pods keep documents, each has a line of its own: its name, and how many.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.kept import Kept
    from jina_cli.cli.session import place_of, run_batch

    settings = settings_of(ctx)
    kept = Kept(
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        settings=settings,
        parameters=finding.where_of(where),
        target=target_executor,
        timeout_s=seconds_of(timeout, "--timeout"),
    )
    run_batch(lambda: _run(kept, settings))


async def _run(kept: Kept, settings: Settings) -> None:
    from jina_cli.cli.render import Output

    async with kept.connected() as index:
        counts = await index.counts()
    output = Output(settings)
    if settings.json:
        output.json({"schema": SCHEMA, "documents": sum(counts.values()), "pods": counts})
    elif len(counts) == 1:
        output.result(str(sum(counts.values())))
    else:
        for name, documents in counts.items():
            output.result(f"{name} {documents}")
