"""Encode a text and find the nearest 10 of 60,000 vectors, over HTTP: peers, Jina 3.34 and us.

    python tests/bench/peers.py --peers DIR --jina-venv DIR [--passes 3] [--json FILE]

All compute the same (`flows/knn.py`) with one thread of BLAS, and before a system is measured its
answers are compared with what is right. The systems take turns; figures are medians of the
passes. Prints the ratios that are owed, and ends with 1 if one is missed. What has no environment
is left out; `--make-peers` and `--make-jina-venv` make them. Needs wrk on the PATH.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import environments
import numpy as np
from flow_process import FLOWS, cpu_s
from goals import SEARCH_GOALS, finish
from peer_process import DIALECTS, FLOW, Dialect, Server, a_peer, a_search, ask
from reports import BenchFailed, medians, need, run
from wrk import rates

sys.path.insert(0, str(FLOWS))

from knn import Encoder, Index

CONNECTIONS = (1, 16)
TEXTS = ("how do I bake bread without an oven", "a slow boat", "Größe und Maß", "x" * 200)
CLOSE = 1e-4
"""How far scores may be from each other: sums of floats in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One system with so many connections: medians of the passes.

    Attributes:
        server_us: CPU of all the system's processes, microseconds a request.
    """

    flow: str
    case: str
    system: str
    requests_s: float
    p50_ms: float
    p99_ms: float
    server_us: float


def main() -> int:
    options = _options()
    need("wrk")
    servers = _servers(options)
    loads: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(options.passes):
        print(f"pass {number + 1}", file=sys.stderr)
        for system, server in servers.items():
            for case, load in _measured(system, server, options.seconds).items():
                loads.setdefault((case, system), []).append(load)
    rows = [
        Row(flow="search", case=case, system=system, **medians(of))
        for (case, system), of in loads.items()
    ]
    return finish("search", rows, SEARCH_GOALS, options)


def _servers(options: argparse.Namespace) -> dict[str, Server]:
    """Return what is to be measured, in the order in which they take turns."""
    pythons = environments.of_options(options, DIALECTS)
    found: dict[str, Server] = {
        name: (DIALECTS[name], partial(a_peer, name, python)) for name, python in pythons.items()
    }
    if theirs := environments.jina_of_options(options):
        found["jina"] = (FLOW, partial(a_search, [theirs], "search2"))
    found["ours"] = (FLOW, partial(a_search, [options.jina], "search2batched"))
    found["ours, one by one"] = (FLOW, partial(a_search, [options.jina], "search2"))
    return {name: server for name, server in found.items() if name not in options.without}


def _measured(system: str, server: Server, seconds: float) -> dict[str, dict[str, float]]:
    dialect, started = server
    question = dialect.question(TEXTS[0])
    loads = {}
    with started() as serving:
        check(system, serving.url, dialect)
        for connections in CONNECTIONS:
            rates(serving.url, connections, 1, question)
            before = cpu_s(serving.process)
            rate = rates(serving.url, connections, seconds, question)
            if rate.failed:
                raise BenchFailed(f"{system}: {rate.failed} requests failed")
            load = {name: getattr(rate, name) for name in ("requests_s", "p50_ms", "p99_ms")}
            load["server_us"] = 1e6 * (cpu_s(serving.process) - before) / rate.requests
            loads[f"http/c{connections}"] = load
            shown = f"{rate.requests_s:8.0f} req/s  p50 {rate.p50_ms:.2f} ms"
            cost = f"server {load['server_us']:.0f} us"
            print(f"{system:18s} c{connections:<3d} {shown}  {cost}", file=sys.stderr)
    return loads


def check(system: str, url: str, dialect: Dialect) -> None:
    """Compare the answers of a server with what is right.

    Raises:
        BenchFailed: Another document was found, or one with another score.
    """
    places, scores = Index().search(Encoder().encode(list(TEXTS)))
    for text, row, right in zip(TEXTS, places.tolist(), scores, strict=True):
        found = dialect.found(ask(url, dialect.question(text)))
        same = [name for name, _ in found] == [str(place) for place in row]
        if not same or np.abs(np.array([score for _, score in found]) - right).max() > CLOSE:
            raise BenchFailed(f"{system} finds {found} of {text!r}, and right is {row} {right}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    environments.add_options(parser)
    environments.add_jina_options(parser)
    parser.add_argument("--without", action="append", default=[], help="a system to leave out")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
