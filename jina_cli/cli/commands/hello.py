"""`jina hello`: searches that need no network, no account and no data of one's own."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jina_cli.cli.bundled import flow_file, has_neural
from jina_cli.cli.settings import Settings, settings_of
from jina_cli.errors import CannotWrite, UsageError
from jina_cli.files import save_text
from jina_cli.resources import flows_dir

if TYPE_CHECKING:
    from jina_cli.cli.render import Output
    from jina_cli.hello.bare import Bare
    from jina_cli.hello.dataset import Fashion
    from jina_cli.hello.fashion import Announce, Outcome
    from jina_cli.spec.models import FlowSpec
    from jina_cli.supervise.loop import Supervisor

NEURAL, PLAIN = "fashion", "fashion-hog"
"""The ready-made Flow with a neural encoder, and the one for where nothing runs that."""

hello = typer.Typer(help="Searches that need no network, no account and no data of one's own.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What `jina hello fashion` was asked to do; fields are named as the options.

    Attributes:
        is_plain: Whether the Flow is the plain one because nothing runs the other.
    """

    uses: Path
    is_plain: bool
    full: bool
    data: str
    download: bool
    port: int
    report: Path
    workspace: Path | None
    once: bool
    opens_browser: bool


@hello.callback()
def group() -> None:
    """Searches that need no network, no account and no data of one's own."""


@hello.command()
def fashion(
    ctx: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="All 70,000 images, not the bundled 5,000.")
    ] = False,
    data: Annotated[
        str, typer.Option(metavar="DIR", help="Folder of the full data set; implies --full.")
    ] = "",
    download: Annotated[
        bool, typer.Option("--download", help="Fetch the full data set if no folder has it.")
    ] = False,
    uses: Annotated[
        str, typer.Option(metavar="FLOW", help="A Flow of your own in place of the bundled one.")
    ] = "",
    print_flow: Annotated[
        bool, typer.Option("--print-flow", help="Print the YAML of the Flow and end.")
    ] = False,
    workspace: Annotated[
        str, typer.Option(metavar="DIR", help="Keep the index there; else it is thrown away.")
    ] = "",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where HTTP is served; 0 is any free port.")
    ] = 0,
    report: Annotated[
        str, typer.Option(metavar="FILE", help="Where the result page is written.")
    ] = "hello-fashion.html",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open the result page.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End when done; so it is where stdout is no terminal.")
    ] = False,
) -> None:
    """Find clothes that look alike among the images of Fashion-MNIST.

    Starts the Flow of fashion.yml (without the extra 'neural', of fashion-hog.yml), indexes
    the images, searches for others, and judges what was found by the labels. The result page
    shows queries beside their matches. On a terminal the Flow then goes on until Ctrl-C, so
    that you can ask it. With --full its rates stand beside those of numpy alone.
    """
    from jina_cli.cli.session import run_batch

    is_plain = not uses and not has_neural()
    flow = flow_file(uses or (PLAIN if is_plain else NEURAL))
    if print_flow:
        sys.stdout.write(flow.read_text("utf-8"))
        return
    is_terminal = sys.stdout.isatty()
    job = Job(
        uses=flow,
        is_plain=is_plain,
        full=full or bool(data) or download,
        data=data,
        download=download,
        port=port,
        report=Path(report),
        workspace=Path(workspace).absolute() if workspace else None,
        once=once or not is_terminal,
        opens_browser=is_terminal and not no_browser and not once,
    )
    if data and not Path(data).is_dir():
        raise UsageError(f"--data {data} is not a folder")
    run_batch(lambda: run(job, settings_of(ctx)))


async def run(job: Job, settings: Settings) -> None:
    """Run the demo, show its figures, write its page, and serve on unless once is enough."""
    from jina_cli.cli.render import Output

    output = Output(settings)

    def announce(what: str) -> None:
        if settings.progress:
            output.note(f"{what} …")

    images = _read(job, output)
    _check_writable(job.report)
    spec = _spec_of(job)
    if job.is_plain:
        output.note("without a neural network; pip install 'jina[neural]' finds more")
    announce(f"starting the Flow of {job.uses.name}")
    async with _flow_of(job, spec, settings) as flow:
        outcome = await _run_demo(flow, images, learns=learns(spec), announce=announce)
        page = _write_page(job, images, outcome)
        bare = _measure_bare(job, images, outcome, announce)
        _show(output, settings, outcome, bare, page)
        if job.opens_browser:
            _open(page)
        if not job.once:
            _invite(output, flow)
            await asyncio.Event().wait()


def _read(job: Job, output: Output) -> Fashion:
    from jina_cli.hello.dataset import read_full, read_sample

    if not job.full:
        return read_sample()
    folder = Path(job.data) if job.data else None
    images = read_full(folder, download=job.download, progress=output.note)
    output.note(f"using the data set in {images.source}")
    return images


def _spec_of(job: Job) -> FlowSpec:
    from jina_cli.cli.session import private
    from jina_cli.spec.load import load_flow

    spec = load_flow(job.uses, env=os.environ).spec
    return private(spec) if job.once else _with_http_port(spec, job.port)


def learns(spec: FlowSpec) -> bool:
    """Return whether an Executor of the Flow may learn from `/train`: one does, or is not ours."""
    from jina_cli.spec.schemas import rules
    from jina_cli.vocabulary import TRAIN_ENDPOINT

    known = rules()["executor"].properties["jtype"].builtin
    used = [uses for pod in spec.executors for uses in (pod.uses.components or (pod.uses,))]
    return any(
        uses.jtype not in known or TRAIN_ENDPOINT in known[uses.jtype].endpoints for uses in used
    )


@asynccontextmanager
async def _flow_of(job: Job, spec: FlowSpec, settings: Settings) -> AsyncIterator[Supervisor]:
    from jina_cli.cli.session import started

    with tempfile.TemporaryDirectory(prefix="jina-hello-") as scratch:
        async with started(spec, job.workspace or Path(scratch), settings) as flow:
            yield flow


def _with_http_port(spec: Any, port: int) -> Any:
    """Return the Flow with HTTP on a port; unchanged for port 0.

    Raises:
        UsageError: It serves no HTTP.
    """
    from dataclasses import replace

    from jina_cli.vocabulary import Protocol

    if not port:
        return spec
    gateway = spec.gateway
    if Protocol.HTTP not in gateway.protocol:
        raise UsageError("--port needs a Flow that serves http", hint="add it to protocol")
    place = gateway.protocol.index(Protocol.HTTP)
    ports = (*gateway.port[:place], port, *gateway.port[place + 1 :])
    return replace(spec, gateway=replace(gateway, port=ports))


async def _run_demo(
    flow: Supervisor, images: Fashion, *, learns: bool, announce: Announce
) -> Outcome:
    from jina_cli.client.client import AsyncClient
    from jina_cli.hello.fashion import run as run_demo

    async with AsyncClient(flow.native_address) as client:
        return await run_demo(client, images, learns=learns, announce=announce)


def _measure_bare(job: Job, images: Fashion, outcome: Outcome, announce: Announce) -> Bare | None:
    """Return what arrays alone do; None for the sample, and for a Flow we do not know."""
    if not job.full or job.uses.parent != flows_dir():
        return None
    from jina_cli.hello.bare import encoder_of, measure

    announce("doing the same with numpy alone")
    return measure(images, encoder_of(job.uses.stem, images), outcome.found)


def _show(
    output: Output, settings: Settings, outcome: Outcome, bare: Bare | None, page: Path
) -> None:
    if settings.json:
        output.json(figures_of(outcome, bare, page))
        return
    for line in _lines(outcome, bare):
        output.result(line)
    output.result(f"{'result page':<16}{page}")


def _lines(outcome: Outcome, bare: Bare | None) -> Iterator[str]:
    verdict = outcome.verdict
    beside = _beside(bare.indexed, bare.vectors_kept) if bare else ""
    rate = outcome.documents / outcome.index_s
    yield _rate_line("indexed", f"{outcome.documents:,} images", rate, beside)
    beside = _beside(bare.searched, bare.vectors_searched) if bare else ""
    rate = outcome.queries / outcome.search_s
    yield _rate_line("searched", f"{outcome.queries:,} queries", rate, beside)
    for depth, value in verdict.precision_at.items():
        yield f"{f'precision@{depth}':<16}{value:.3f}"
    first, accuracy = next(iter(verdict.accuracy_at.items()))
    yield f"{f'{first}-NN accuracy':<16}{accuracy:.3f}"
    deepest, recall = list(verdict.recall_at.items())[-1]
    yield f"{f'recall@{deepest}':<16}{recall:.3f}"


def _rate_line(name: str, what: str, rate: float, beside: str) -> str:
    return f"{name:<16}{what:<18}{rate:>8,.0f} a second{beside}"


def _beside(rate: float, of_vectors: float) -> str:
    return f"; numpy alone {rate:,.0f}, of vectors that are there {of_vectors:,.0f}"


def figures_of(outcome: Outcome, bare: Bare | None, page: Path) -> dict[str, Any]:
    """Return what `--json` prints; times are in seconds, rates in documents a second."""
    verdict = outcome.verdict
    first = next(iter(verdict.accuracy_at))
    return {
        "schema": "jina.hello/1",
        "demo": "fashion",
        "documents": outcome.documents,
        "queries": outcome.queries,
        "train_seconds": round(outcome.train_s, 3),
        "index_seconds": round(outcome.index_s, 3),
        "search_seconds": round(outcome.search_s, 3),
        "documents_per_second": round(outcome.documents / outcome.index_s, 1),
        "queries_per_second": round(outcome.queries / outcome.search_s, 1),
        **{f"precision@{k}": round(value, 4) for k, value in verdict.precision_at.items()},
        **{f"recall@{k}": round(value, 4) for k, value in verdict.recall_at.items()},
        f"accuracy@{first}": round(verdict.accuracy_at[first], 4),
        "numpy_alone": _bare_figures(bare),
        "report": str(page),
    }


def _bare_figures(bare: Bare | None) -> dict[str, float] | None:
    if bare is None:
        return None
    return {
        "documents_per_second": round(bare.indexed, 1),
        "queries_per_second": round(bare.searched, 1),
        "vectors_kept_per_second": round(bare.vectors_kept, 1),
        "vectors_searched_per_second": round(bare.vectors_searched, 1),
        "same_matches": round(bare.same, 4),
    }


def _check_writable(path: Path) -> None:
    """Find out before the work is done whether its result can be written."""
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise CannotWrite(f"cannot write {path}", hint="name another file with --report")


def _write_page(job: Job, images: Fashion, outcome: Outcome) -> Path:
    from jina_cli.hello.page import result_page

    taught = job.uses == flows_dir() / f"{NEURAL}.yml"
    save_text(job.report, result_page(images, outcome, taught=taught))
    return job.report.absolute()


def _open(page: Path) -> None:
    import webbrowser

    webbrowser.open(page.as_uri())


def _invite(output: Output, flow: Supervisor) -> None:
    http = flow.addresses.get("http")
    if http:
        output.note(f"\nThe Flow goes on: try it at http://{http}/docs. Ctrl-C ends it.")
    else:
        output.note("\nThe Flow goes on. Ctrl-C ends it.")
