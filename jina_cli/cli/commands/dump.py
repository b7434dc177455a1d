"""`jina dump`: everything that is indexed, as a file."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import finding
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import BadInput, CannotWrite, NothingMatched, StorageFailed, UsageError

if TYPE_CHECKING:
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import Place
    from jina_cli.documents.dumps import Writer

SCHEMA = "jina.dump/1"
STDOUT = "-"


def dump(
    ctx: typer.Context,
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="FILE", help="Where to; `-` is stdout.")
    ] = STDOUT,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    format: asking.DumpFormat = "auto",
    vectors: Annotated[
        bool, typer.Option("--vectors/--no-vectors", help="Whether with vectors.")
    ] = True,
    where: finding.Where = "",
    target_executor: asking.Target = "",
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="No document is no failure.")
    ] = False,
    timeout: asking.Timeout = "120s",
    lenient: opt.Lenient = False,
) -> None:
    """Write documents to a file, whole: with their chunks, tags and vectors, in order of ids.

    `jina load` reads it, and encodes nothing again. The file is there whole or not at all, and
    an old one is replaced. Parquet is for other tools too: chunks are nested columns, vectors
    lists of numbers. Exits with 5 if there is no document.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.session import place_of, run_batch
    from jina_cli.documents.dumps import format_of

    settings = settings_of(ctx)
    job = Job(
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        out=out,
        format=format_of(out) if format == "auto" else format,
        vectors=vectors,
        parameters={**finding.where_of(where), "vectors": vectors},
        target=target_executor,
        allow_empty=allow_empty,
        timeout_s=seconds_of(timeout, "--timeout"),
    )
    if job.out == STDOUT and job.format == "parquet" and sys.stdout.isatty():
        raise UsageError("Parquet is nothing for a terminal", hint="-o FILE")
    run_batch(lambda: run(job, settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is written, and where to; fields are named as the options.

    Attributes:
        parameters: Of every request.
    """

    place: Place
    out: str
    format: Literal["jsonl", "parquet"]
    vectors: bool
    parameters: Mapping[str, Any]
    target: str
    allow_empty: bool
    timeout_s: float

    @property
    def folder(self) -> str | None:
        """Where there is room for as much as the file takes; None for the system's own place."""
        return None if self.out == STDOUT else str(Path(self.out).parent)


async def run(job: Job, settings: Settings) -> None:
    """Write the file, and say what is in it.

    Raises:
        NothingMatched: There is no document.
        CannotWrite: The file cannot be made.
        StorageFailed: It cannot be written, as the disk is full.
        JinaError: Whatever else went wrong. There is no file then, or the old one.
    """
    from jina_cli.cli.render import Output
    from jina_cli.documents.dumps import writer_of

    output = Output(settings)
    began = time.monotonic()
    with opened(job.out) as file, closing(writer_of(job.format, file, job.folder)) as writer:
        documents, chunks = await _write(job, settings, output, writer)
        if not documents and not job.allow_empty:
            raise NothingMatched("there is no document", hint="--allow-empty permits that")
        writer.end()
    seconds = time.monotonic() - began
    if settings.json and job.out != STDOUT:
        told = {"documents": documents, "chunks": chunks, "file": job.out, "format": job.format}
        output.json({"schema": SCHEMA, **told, "seconds": round(seconds, 3)})
        return
    noun = "document" if documents == 1 else "documents"
    output.note(f"{documents:,} {noun} dumped in {seconds:.1f} s")


async def _write(job: Job, settings: Settings, output: Output, writer: Writer) -> tuple[int, int]:
    """Write all documents; return how many there were, and how many chunks in them."""
    from jina_cli.cli.kept import Index, Kept
    from jina_cli.cli.session import connected
    from jina_cli.client.client import Question
    from jina_cli.client.dumping import pages
    from jina_cli.client.progress import progress_on
    from jina_cli.documents.batch import BadField
    from jina_cli.documents.dumps import without_vectors
    from jina_cli.documents.relatives import count_chunks

    kept = Kept(
        place=job.place,
        settings=settings,
        parameters={},
        target=job.target,
        timeout_s=job.timeout_s,
    )
    question = Question(
        endpoint="/dump", parameters=job.parameters, target=job.target, timeout_s=job.timeout_s
    )
    documents = chunks = 0
    shown = progress_on("dumping", shown=settings.progress, color=output.err_colors)
    async with connected(job.place, settings, must_exist=True) as client:
        await Index(client, kept).counts()  # says so if no Pod keeps documents
        async with aclosing(pages(client, question)) as found:
            with shown as progress:
                async for page in found:
                    whole = page if job.vectors else without_vectors(page)
                    try:
                        await asyncio.to_thread(writer.write, whole)
                    except BadField as error:
                        raise BadInput(str(error)) from error
                    documents += len(page)
                    chunks += count_chunks(page)
                    progress.advance(len(page))
    return documents, chunks


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Give the file to write to, which has its name once the block ended well.

    Raises:
        CannotWrite: It cannot be made.
        StorageFailed: It cannot be written, as the disk is full.
    """
    from jina_cli.files import whole_file

    is_made = path == STDOUT
    try:
        if path == STDOUT:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with whole_file(Path(path)) as file:
            is_made = True
            yield file
    except BrokenPipeError:
        raise  # whoever read has read enough
    except OSError as error:
        if is_made:
            raise StorageFailed(f"cannot write {path}: {error.strerror}") from error
        raise CannotWrite(f"cannot create {path}: {error.strerror}") from error
