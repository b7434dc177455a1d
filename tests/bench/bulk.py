"""Encode 60,000 texts and keep them: Jina 3.34 and txtai in memory, we on the disk.

    python tests/bench/bulk.py --peers DIR --jina-venv DIR [--passes 3] [--json FILE]

All make the same vectors (`flows/knn.py`) with one thread of BLAS. Jina and we are asked over one
gRPC stream, 256 documents a request; txtai over its HTTP API, 2,000 documents a request, and then
to index them; we also by the frames that `jina index` speaks, as many documents a request. The
systems take turns; figures are medians of the passes. Afterwards our documents are counted on the
disk, in a store that is opened anew. Prints the ratios that are owed, and ends with 1 if one is
missed. What has no environment is left out; `--make-peers` and `--make-jina-venv` make them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import environments
import psutil
from bulk_load import Job
from flow_process import FLOWS, Started, a_flow, cpu_s, native_address
from goals import BULK_GOALS, finish
from peer_process import ALONE, a_peer
from reports import BenchFailed, medians, run

from jina_cli.store.schema import FILE_NAME
from jina_cli.store.store import Store

REQUEST_SIZE, WINDOW = 256, 16
PART_SIZE, PARTS_WINDOW = 2000, 4
_LOAD = Path(__file__).with_name("bulk_load.py")
_LOAD_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One system, asked in one way: medians of the passes.

    Attributes:
        server_us: CPU of all the system's processes, microseconds a document.
        client_us: The same of the client.
    """

    flow: str
    case: str
    system: str
    documents_s: float
    server_us: float
    client_us: float


Measure = Callable[[int], dict[str, float]]
"""Sends so many documents to a system that it starts, and returns figures of `Row`."""


def main() -> int:
    options = _options()
    loads: dict[tuple[str, str], list[dict[str, float]]] = {}
    measures = _measures(options)
    for number in range(options.passes):
        print(f"pass {number + 1}", file=sys.stderr)
        for (system, case), measure in measures.items():
            load = measure(options.documents)
            loads.setdefault((system, case), []).append(load)
            shown = f"{load['documents_s']:8.0f} docs/s  server {load['server_us']:.1f} us"
            print(f"{system:18s} {case:8s} {shown}", file=sys.stderr, flush=True)
    rows = [
        Row(flow="bulk", case=case, system=system, **medians(of))
        for (system, case), of in loads.items()
    ]
    return finish("bulk", rows, BULK_GOALS, options, documents=options.documents)


def _measures(options: argparse.Namespace) -> dict[tuple[str, str], Measure]:
    """Return what is to be measured, in the order in which it takes turns."""
    found: dict[tuple[str, str], Measure] = {}
    if theirs := environments.jina_of_options(options):
        found["jina", "stream"] = partial(_of_flow, theirs, "bulk2", "stream")
    for python in environments.of_options(options, ["txtai"]).values():
        found["txtai", "http"] = partial(_of_txtai, python)
    found["ours", "stream"] = partial(
        _of_flow, options.jina, "bulk2stored", "stream", is_durable=True
    )
    found["ours", "native"] = partial(
        _of_flow, options.jina, "bulk2stored", "native", is_durable=True
    )
    found["ours, in memory", "stream"] = partial(_of_flow, options.jina, "bulk2", "stream")
    return {key: measure for key, measure in found.items() if key[0] not in options.without}


def _of_flow(
    command: Path, flow: str, rpc: str, documents: int, *, is_durable: bool = False
) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="jina-bulk-") as folder:
        with a_flow([command], FLOWS / f"{flow}.yml", ALONE, folder=Path(folder)) as started:
            figures = _sent(_job(started, rpc, documents), started.process)
        if is_durable:
            _check_kept(Path(folder), documents)
    return figures


def _job(started: Started, rpc: str, documents: int) -> Job:
    is_native = rpc == "native"
    return Job(
        rpc=rpc,
        address=native_address(started) if is_native else f"127.0.0.1:{started.ports.grpc}",
        size=PART_SIZE if is_native else REQUEST_SIZE,
        window=PARTS_WINDOW if is_native else WINDOW,
        documents=documents,
    )


def _check_kept(folder: Path, documents: int) -> None:
    """Count what is on the disk now that the Flow is gone."""
    (file,) = folder.rglob(FILE_NAME)
    with Store.open(file.parent) as store:
        if store.count() != documents:
            raise BenchFailed(f"{file} holds {store.count()} documents instead of {documents}")


def _of_txtai(python: Path, documents: int) -> dict[str, float]:
    with a_peer("txtai", python, "empty") as serving:
        address = serving.url.split("/")[2]
        job = Job(rpc="http", address=address, size=PART_SIZE, window=1, documents=documents)
        return _sent(job, serving.process)


def _sent(job: Job, process: psutil.Process) -> dict[str, float]:
    before = cpu_s(process)
    done = subprocess.run(
        [sys.executable, str(_LOAD), json.dumps(asdict(job))],
        check=False,
        capture_output=True,
        text=True,
        timeout=_LOAD_WITHIN_S,
    )
    try:
        sent: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise BenchFailed(f"{job} failed: {done.stderr[-800:]}") from None
    return {
        "documents_s": job.documents / sent["seconds"],
        "server_us": 1e6 * (cpu_s(process) - before) / job.documents,
        "client_us": 1e6 * sent["client_s"] / job.documents,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    environments.add_options(parser)
    environments.add_jina_options(parser)
    parser.add_argument("--without", action="append", default=[], help="a system to leave out")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--documents", type=int, default=60_000)
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
