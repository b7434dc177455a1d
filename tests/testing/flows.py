"""Plans of stand-in Peas, and a supervisor that runs them: real processes, small ones."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jina_cli.plan.models import ExecutorPlan, GatewayPlan, Listener, PeaPlan, Plan
from jina_cli.supervise.logs import LogLine
from jina_cli.supervise.running import Recipe
from jina_cli.vocabulary import PeaRole, Protocol

STANDIN = "tests.testing.standin"
RECIPE = Recipe(
    preload=(STANDIN,), entry=f"{STANDIN}:run", pea_module=STANDIN, gateway_module=STANDIN
)
ROOT = Path(__file__).parents[2]


@dataclass
class Lines:
    """A sink that keeps what it is given."""

    lines: list[LogLine] = field(default_factory=list)

    def write(self, line: LogLine) -> None:
        self.lines.append(line)

    def close(self) -> None:
        """Nothing to close."""

    def of(self, pea: str, stream: str = "") -> list[str]:
        return [x.text for x in self.lines if x.pea == pea and stream in ("", x.stream)]


@contextmanager
def short_folder() -> Iterator[Path]:
    """Give a folder with a path short enough for unix sockets; it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="jina-t-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def a_pea(folder: Path, name: str, do: Sequence[str] = (), **fields: Any) -> PeaPlan:
    """Return a Pea that does the steps of `standin`; without any it is ready and serves."""
    executor = ExecutorPlan(uses="Standin", with_={"do": list(do)} if do else {})
    return PeaPlan(
        **{
            "name": name,
            "pod": name.partition("/")[0],
            "role": PeaRole.WORKER,
            "address": f"unix:{folder}/run/{name.replace('/', '.')}.sock",
            "workspace": str(folder),
            "executor": executor,
            **fields,
        }
    )


def a_plan(
    folder: Path,
    *peas: PeaPlan,
    gateway_does: Sequence[str] = (),
    listeners: Sequence[Listener] = (),
) -> Plan:
    """Return a plan of these Peas and a Gateway that is a stand-in too."""
    http = Listener(protocol=Protocol.HTTP, host="127.0.0.1", port=0)
    gateway = a_pea(
        folder,
        "gateway",
        gateway_does,
        role=PeaRole.GATEWAY,
        needs=tuple(dict.fromkeys(pea.pod for pea in peas)),
        gateway=GatewayPlan(
            flow="flow", listeners=tuple(listeners) or (http,), native_address="", routes=()
        ),
    )
    return Plan(
        flow="flow",
        source="flow.yml",
        run_dir=f"{folder}/run",
        log_dir=f"{folder}/logs",
        workspace=str(folder),
        gateway=gateway,
        peas=peas,
    )
