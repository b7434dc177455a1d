"""How long starting takes, as ratios within one run on one machine.

    python tests/bench/startup.py --jina-venv DIR [--json FILE] [--importtime]

Prints a table and ends with 1 if a budget is missed. Systems take turns, and figures are
medians, so that a busy machine disturbs both sides alike. Needs grpcio and psutil.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import environments
from flow_process import FLOWS, a_flow
from reports import run

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.testing import jina_peer

CHAIN = FLOWS / "chain3.yml"
IDLE_FOR_S = 1.5
COMMAND_WITHIN_S = 30
HOTTEST = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured thing beside what it is measured against.

    Attributes:
        value: In `unit`, a median.
        against: The same of the other; 0 where the budget is absolute.
        budget: What `value / against`, or `value` itself, may be at most.
    """

    name: str
    value: float
    unit: str
    against: float
    budget: float

    @property
    def ratio(self) -> float:
        return self.value / self.against if self.against else self.value

    @property
    def is_kept(self) -> bool:
        return self.ratio <= self.budget


def main() -> int:
    options = _options()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # of our own client; read when first used
    peer = environments.jina_of_options(options)
    figures = [
        *command_figures(options.jina, options.reps * 3),
        parent_figure(options.jina, options.reps),
        *(flow_figures(options.jina, peer, options.reps) if peer else ()),
    ]
    print(table(figures))
    if options.importtime:
        print_hottest_imports()
    if options.json:
        options.json.write_text(json.dumps([_as_json(f) for f in figures], indent=1) + "\n")
    return 0 if all(figure.is_kept for figure in figures) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    environments.add_jina_options(parser)
    # Jina starts in one second, or two, or three, as its connections are tried again: a
    # median of few says little.
    parser.add_argument("--reps", type=int, default=7, help="turns of each Flow, at least 3")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--importtime", action="store_true", help="also the slowest imports")
    options = parser.parse_args()
    options.reps = max(3, options.reps)
    return options


def command_figures(jina: Path, reps: int) -> list[Figure]:
    """Measure commands that only print, against a Python that does nothing."""
    commands = {
        "nothing": [sys.executable, "-c", "pass"],
        "--version": [str(jina), "--version"],
        "--help": [str(jina), "--help"],
    }
    seconds = in_turns({name: _timed(command) for name, command in commands.items()}, reps)
    return [
        Figure(
            name=f"jina {name} against python -c pass",
            value=1000 * seconds[name],
            unit="ms",
            against=1000 * seconds["nothing"],
            budget=budget,
        )
        for name, budget in (("--version", 4.0), ("--help", 8.0))
    ]


def _timed(command: Sequence[str]) -> Callable[[], float]:
    def run() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=COMMAND_WITHIN_S)
        return time.perf_counter() - began

    return run


def in_turns(measures: Mapping[str, Callable[[], float]], reps: int) -> dict[str, float]:
    """Return the median of each measure; each is taken once a turn, after one to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(reps + 1):
        for name, measure in measures.items():
            value = measure()
            if turn:
                taken[name].append(value)
    return {name: statistics.median(values) for name, values in taken.items()}


def parent_figure(jina: Path, reps: int) -> Figure:
    """Measure what `jina flow` itself holds in memory while its Flow has nothing to do."""

    def measure() -> float:
        with a_flow([jina], CHAIN, {}) as flow:
            time.sleep(IDLE_FOR_S)
            return float(flow.process.memory_info().rss / 1e6)

    value = in_turns({"parent": measure}, reps)["parent"]
    return Figure(name="idle parent of three Pods", value=value, unit="MB", against=0, budget=35.0)


def flow_figures(jina: Path, peer: Path, reps: int) -> list[Figure]:
    """Measure from the command to the first answer of three Pods, against Jina 3.34."""

    def first_answer(command: Path, variables: Mapping[str, str]) -> Callable[[], float]:
        def measure() -> float:
            with a_flow([command], CHAIN, variables) as flow:
                return flow.seconds

        return measure

    seconds = in_turns(
        {"ours": first_answer(jina, {}), "peer": first_answer(peer, jina_peer.VARIABLES)}, reps
    )
    return [
        Figure(
            name="first answer of three Pods against Jina 3.34",
            value=seconds["ours"],
            unit="s",
            against=seconds["peer"],
            budget=0.25,
        )
    ]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of text."""
    lines = [f"{'':48} {'ours':>12} {'other':>12} {'ratio':>7} {'budget':>7}"]
    for figure in figures:
        other = f"{figure.against:.2f} {figure.unit}" if figure.against else "-"
        ratio = f"{figure.ratio:.2f}" if figure.against else "-"
        mark = "" if figure.is_kept else "  missed"
        value = f"{figure.value:.2f} {figure.unit}"
        lines.append(
            f"{figure.name:48} {value:>12} {other:>12} {ratio:>7} {figure.budget:>7g}{mark}"
        )
    return "\n".join(lines)


def _as_json(figure: Figure) -> dict[str, object]:
    return {"schema": "jina.bench/1", **asdict(figure), "ratio": figure.ratio}


def print_hottest_imports() -> None:
    """Print where the time of starting goes, import by import, slowest first."""
    for label, arguments in {
        "jina --version": ["-m", "jina_cli", "--version"],
        "jina --help": ["-m", "jina_cli", "--help"],
        "jina flow --dry-run": ["-m", "jina_cli", "flow", "--dry-run", "--uses", str(CHAIN)],
        "the parent, beside that": ["-c", "import jina_cli.supervise.supervisor"],
        "the spawner": ["-c", "import docarray, jina_cli.runtime.pea, jina_cli.runtime.spawner"],
        "the Gateway": ["-c", "import jina_cli.serve.gateway, jina_cli.serve.grpc_server"],
    }.items():
        print(f"\n{label}")
        for own, whole, module in hottest_imports(arguments):
            print(f"  {own / 1000:8.1f} ms alone {whole / 1000:8.1f} ms with all  {module}")


def hottest_imports(arguments: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return time alone, time with what it imports (both in µs) and name, slowest first."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN_S,
        check=False,
        env={**os.environ, "BENCH_PORT": "20000"},
    )
    rows = []
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        whole, _, module = rest.partition("|")
        if own.strip().isdecimal() and whole.strip().isdecimal():
            rows.append((int(own), int(whole), module.strip()))
    return sorted(rows, reverse=True)[:HOTTEST]


if __name__ == "__main__":
    run(main)
