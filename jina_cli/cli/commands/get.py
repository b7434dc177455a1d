"""`jina get`: documents by their ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import finding
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import JinaError, NothingMatched

if TYPE_CHECKING:
    from jina_cli.cli.kept import Kept
    from jina_cli.documents.batch import DocumentBatch

SCHEMA = "jina.get/1"
PAGE = 256
"""Documents in a request."""


def get(
    ctx: typer.Context,
    ids: Annotated[
        list[str], typer.Argument(metavar="ID", help="Ids of documents; - for stdin, one a line.")
    ],
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    fields: finding.Fields = "",
    vectors: Annotated[
        bool, typer.Option("--vectors", help="Print tensors and embeddings, too.")
    ] = False,
    target_executor: asking.Target = "",
    timeout: asking.Timeout = "120s",
    lenient: opt.Lenient = False,
) -> None:
    """Print documents as JSON Lines, in the order of their ids on the command line.

    Exits with 5 if none of them is there, with 1 if some are not; the others are printed.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.ids import ids_of
    from jina_cli.cli.kept import Kept
    from jina_cli.cli.session import place_of, run_batch
    from jina_cli.client.searching import without_numbers

    settings = settings_of(ctx)
    kept = Kept(
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        settings=settings,
        parameters={},
        target=target_executor,
        timeout_s=seconds_of(timeout, "--timeout"),
    )
    names = finding.fields_of(fields).get("return_fields", ())

    def shown(docs: DocumentBatch) -> DocumentBatch:
        chosen = docs.only(*names) if names else docs
        return chosen if vectors else without_numbers(chosen)

    run_batch(lambda: _run(kept, ids_of(ids), shown, settings))


async def _run(
    kept: Kept,
    ids: Sequence[str],
    shown: Callable[[DocumentBatch], DocumentBatch],
    settings: Settings,
) -> None:
    from jina_cli.cli.render import Output
    from jina_cli.documents.rows import to_rows

    output = Output(settings)
    missing = list[str]()
    async with kept.connected() as index:
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            docs = await index.get(page)
            there = set(docs.ids)
            missing += [id_ for id_ in page if id_ not in there]
            for row in to_rows(shown(docs)):
                output.json({"schema": SCHEMA, "document": row} if settings.json else row)
    if len(missing) == len(ids):
        raise NothingMatched(f"there is no document {missing[0]!r}")
    if missing:
        raise JinaError(f"{len(missing)} of {len(ids)} documents are not there: {missing[0]!r}")
