"""Jina 3.34, a bare grpc.aio echo and us: the same Flows, Executors and clients, in turns.

    python tests/bench/matrix.py --jina-venv DIR [--passes 3] [--only text/1/] [--json FILE]

Prints each case and then the ratios that are owed, and ends with 1 if one is missed. All
figures of a system come from one run on one machine, where the systems take turns; they are
medians of the passes. Needs the extra `test`, and wrk on the PATH for the rows of HTTP.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import environments
import psutil
from bare_echo import a_bare_echo
from flow_process import FLOWS, Started, a_flow, cpu_s, native_address
from goals import GOALS, finish
from load import Case
from reports import BenchFailed, medians, need, run
from wrk import Rate, rates

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.testing import jina_peer

SYSTEMS = ("jina", "ours", "bare")
CONNECTIONS = (1, 16)
_LOAD = Path(__file__).with_name("load.py")
_LOAD_WITHIN_S = 120.0

CASES = (
    ("stream", "text", 1, 1),
    ("unary", "text", 1, 1),
    ("stream", "text", 1, 64),
    ("unary", "text", 1, 64),
    ("native", "text", 1, 1),
    ("native", "text", 1, 64),
    ("websocket", "text", 1, 1),
    ("websocket", "text", 1, 64),
    ("stream", "text", 32, 32),
    ("stream", "text", 100, 16),
    ("native", "text", 100, 16),
    ("stream", "text", 256, 16),
    ("stream", "image", 1, 1),
    ("stream", "image", 1, 64),
    ("stream", "image", 32, 32),
    ("stream", "image", 100, 16),
    ("stream", "image", 256, 8),
)
"""rpc, kind of documents, documents of a request, requests under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case of one system: medians of the passes.

    Attributes:
        server_us: CPU of all the system's processes, microseconds a request; ticks of 10 ms.
    """

    flow: str
    case: str
    system: str
    requests_s: float
    documents_s: float
    p50_ms: float
    p99_ms: float
    client_us: float
    server_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a system's processes took for one Flow; seconds, and MiB of PSS."""

    flow: str
    system: str
    ready_s: float
    stop_s: float
    idle_mb: float
    loaded_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server that runs: what it is, where it listens, how heavy it is."""

    process: psutil.Process
    address: str
    websocket: str = ""
    http: str = ""
    native: str = ""

    def address_of(self, rpc: str) -> str:
        """Return where `rpc` is answered, or an empty text where it is not."""
        return {"websocket": self.websocket, "native": self.native}.get(rpc, self.address)

    def cpu_s(self) -> float:
        return cpu_s(self.process)

    def pss_mb(self) -> float:
        processes = [self.process, *self.process.children(recursive=True)]
        return float(sum(process.memory_full_info().pss for process in processes) / 2**20)


class Tally:
    """All measurements, by what was measured."""

    def __init__(self) -> None:
        self._loads: dict[tuple[str, str, str], list[dict[str, float]]] = {}
        self._weights: dict[tuple[str, str], list[dict[str, float]]] = {}

    def add(self, flow: str, case: str, system: str, load: dict[str, float]) -> None:
        self._loads.setdefault((flow, case, system), []).append(load)
        shown = f"{load['requests_s']:9.0f} req/s {load['documents_s']:9.0f} docs/s"
        times = f"p50 {load['p50_ms']:.2f} ms  server {load['server_us']:.0f} us"
        print(f"{flow:9s} {case:20s} {system:5s} {shown}  {times}", file=sys.stderr, flush=True)

    def weigh(self, flow: str, system: str, weights: dict[str, float]) -> None:
        self._weights.setdefault((flow, system), []).append(weights)

    def rows(self) -> list[Row]:
        return [
            Row(flow=flow, case=case, system=system, **medians(loads))
            for (flow, case, system), loads in self._loads.items()
        ]

    def footprints(self) -> list[Footprint]:
        return [
            Footprint(flow=flow, system=system, **medians(weights))
            for (flow, system), weights in self._weights.items()
        ]


def main() -> int:
    options = _options()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if re.search(options.only, "http/c1 http/c16"):
        need("wrk")
    commands = {"ours": options.jina}
    if theirs := environments.jina_of_options(options):
        commands = {"jina": theirs, **commands}
    tally = Tally()
    for number in range(options.passes):
        for flow in options.flow:
            print(f"pass {number + 1}, {flow}", file=sys.stderr)
            _one_pass(flow, commands, options, tally)
    return finish("matrix", tally.rows(), GOALS, options, footprints=tally.footprints())


def _one_pass(
    flow: str, commands: Mapping[str, Path], options: argparse.Namespace, tally: Tally
) -> None:
    for system in SYSTEMS:
        if system == "bare":
            with a_bare_echo() as (process, address):
                target = Target(process=process, address=address)
                _measure(flow, system, target, options, tally)
        elif system in commands:
            weights: dict[str, float] = {}
            began = 0.0
            with _a_target(system, commands[system], flow) as (started, target):
                weights |= {"ready_s": started.seconds, "idle_mb": target.pss_mb()}
                _measure(flow, system, target, options, tally)
                weights["loaded_mb"] = target.pss_mb()
                began = time.perf_counter()
            tally.weigh(flow, system, {**weights, "stop_s": time.perf_counter() - began})


@contextmanager
def _a_target(system: str, command: Path, flow: str) -> Iterator[tuple[Started, Target]]:
    path = FLOWS / f"{flow}.yml"
    with a_flow([command], path, jina_peer.VARIABLES) as started:
        yield (
            started,
            Target(
                process=started.process,
                address=f"127.0.0.1:{started.ports.grpc}",
                websocket=f"127.0.0.1:{started.ports.websocket}",
                http=f"http://127.0.0.1:{started.ports.http}/default",
                native=native_address(started) if system == "ours" else "",
            ),
        )


def _measure(
    flow: str, system: str, target: Target, options: argparse.Namespace, tally: Tally
) -> None:
    for rpc, kind, size, window in CASES:
        name = f"{kind}/{size}/w{window}/{rpc}"
        address = target.address_of(rpc)
        if not re.search(options.only, name) or not address:
            continue
        case = Case(
            rpc=rpc, kind=kind, size=size, window=window, address=address, seconds=options.seconds
        )
        before = target.cpu_s()
        load = _load(case)
        load["server_us"] = 1e6 * (target.cpu_s() - before) / load.pop("total")
        tally.add(flow, name, system, load)
    for connections in CONNECTIONS:
        name = f"http/c{connections}"
        if target.http and re.search(options.only, name):
            rates(target.http, connections, 1)
            before = target.cpu_s()
            rate = rates(target.http, connections, options.seconds)
            tally.add(flow, name, system, _of_http(rate, target.cpu_s() - before))


def _of_http(rate: Rate, server_s: float) -> dict[str, float]:
    if rate.failed:
        raise BenchFailed(f"{rate.failed} requests over HTTP failed")
    return {
        "requests_s": rate.requests_s,
        "documents_s": rate.requests_s,
        "p50_ms": rate.p50_ms,
        "p99_ms": rate.p99_ms,
        "client_us": 0,
        "server_us": 1e6 * server_s / rate.requests,
    }


def _load(case: Case) -> dict[str, float]:
    command = [sys.executable, str(_LOAD), json.dumps(asdict(case))]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=_LOAD_WITHIN_S
    )
    try:
        load: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise BenchFailed(f"{case} failed: {done.stderr[-800:]}") from None
    return load


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    environments.add_jina_options(parser)
    parser.add_argument("--flow", action="append", help="chain1, chain3, touch3 or columns3")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--only", default="", help="a regular expression of cases")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    options.flow = options.flow or ["chain1", "chain3", "touch3", "columns3"]
    return options


if __name__ == "__main__":
    run(main)
