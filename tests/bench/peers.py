"""Encode + exact nearest neighbours over HTTP: peers, each in its own environment, and us.

    python tests/bench/peers.py --peer starlette=VENV --peer litserve=VENV [--jina-venv DIR]

Each peer's environment has the peer and numpy. The systems take turns; figures are medians of
the passes. Every answer must be a 200. Needs wrk on the PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flow_process import FLOWS, BenchFailed, a_flow, end
from wrk import rates

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.testing import jina_peer
from tests.testing.ports import free_port

APPS = Path(__file__).with_name("peers")
CONNECTIONS = (1, 16)
QUESTION = {"data": [{"text": "how do I bake bread without an oven"}]}
READY_WITHIN_S = 60.0
# One thread for BLAS everywhere: two of them on two cores get in each other's way.
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(FLOWS)}


@contextmanager
def a_peer(name: str, venv: Path) -> Iterator[str]:
    """Run the app of a peer; gives the URL of its search."""
    port = free_port()
    command = [str(venv / "bin" / "python"), str(APPS / f"{name}_app.py"), str(port)]
    child = subprocess.Popen(
        command,
        env={**os.environ, **_ALONE},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}/search"
    try:
        _until_it_answers(child, url)
        yield url
    finally:
        end(child)


@contextmanager
def a_search(command: Path, flow: str) -> Iterator[str]:
    """Run a Flow; gives the URL of its search."""
    with a_flow([command], FLOWS / f"{flow}.yml", {**_ALONE, **jina_peer.VARIABLES}) as started:
        yield f"http://127.0.0.1:{started.ports.http}/default"


def _until_it_answers(child: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + READY_WITHIN_S
    body = json.dumps(QUESTION).encode()
    while time.monotonic() < until:
        if child.poll() is not None:
            raise BenchFailed(f"{child.args} ended with {child.returncode}")
        asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=10):
                return
        except urllib.error.HTTPError as error:
            raise BenchFailed(f"{url}: {error.read()[:400]!r}") from error
        except OSError:
            time.sleep(0.05)
    raise BenchFailed(f"{url} does not answer")


def main() -> int:
    options = _options()
    ours = Path(sysconfig.get_path("scripts")) / "jina"
    figures: dict[str, dict[int, list[float]]] = {}
    for _ in range(options.passes):
        running = {
            **{name: a_peer(name, venv) for name, venv in options.peer},
            "ours": a_search(ours, "search2"),
            "ours, batched": a_search(ours, "search2batched"),
        }
        if options.jina_venv:
            running["jina"] = a_search(jina_peer.command(options.jina_venv), "search2")
        for name, system in running.items():
            with system as url:
                for connections in CONNECTIONS:
                    rates(url, connections, 1, QUESTION)
                    rate = rates(url, connections, options.seconds, QUESTION)
                    if rate.failed:
                        raise BenchFailed(f"{name}: {rate.failed} requests failed")
                    of = figures.setdefault(name, {})
                    of.setdefault(connections, []).append(rate.requests_s)
    medians = {
        name: {f"c{c}": round(statistics.median(rates)) for c, rates in of.items()}
        for name, of in figures.items()
    }
    print(_table(medians))
    if options.json:
        options.json.write_text(json.dumps(medians, indent=1) + "\n")
    return 0


def _table(medians: Mapping[str, Mapping[str, int]]) -> str:
    lines = [f"{'requests a second':20s} " + " ".join(f"{f'c{c}':>8s}" for c in CONNECTIONS)]
    for name, of in medians.items():
        lines.append(f"{name:20s} " + " ".join(f"{of[f'c{c}']:8d}" for c in CONNECTIONS))
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", action="append", default=[], type=_named, metavar="NAME=VENV")
    parser.add_argument("--jina-venv", type=Path, help="environment with Jina 3.34")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--json", type=Path, help="write the medians here")
    return parser.parse_args()


def _named(text: str) -> tuple[str, Path]:
    name, _, venv = text.partition("=")
    return name, Path(venv)


if __name__ == "__main__":
    sys.exit(main())
