"""A Flow of one Executor, started by the command line, that serves every protocol."""

from __future__ import annotations

import re
import textwrap
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.testing.askers import PROTOCOLS
from tests.testing.ports import free_port
from tests.testing.processes import Jinas, Started, wait_until


@dataclass(frozen=True, slots=True)
class Serving:
    """A Flow that runs.

    Attributes:
        addresses: `host:port` by protocol; for `native` `tcp:host:port`.
        numbers: Port at which the Executor's process tells of itself.
    """

    process: Started
    addresses: Mapping[str, str]
    numbers: int

    def rss(self) -> dict[int, int]:
        """Return the memory of each process, in bytes."""
        return {one.pid: one.memory_info().rss for one in self.process.family()}

    def descriptors(self) -> dict[int, int]:
        """Return how many descriptors each process has open."""
        return {one.pid: one.num_fds() for one in self.process.family()}

    def pending(self) -> int:
        """Return how many requests the Executor's process has now."""
        url = f"http://127.0.0.1:{self.numbers}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found = re.search(rb"^jina_number_of_pending_requests{.*} (\S+)$", answer.read(), re.M)
        assert found is not None
        return int(float(found[1]))


def a_flow_on_all(
    jina: Jinas, folder: Path, source: str, name: str, *, max_queue: int = 256
) -> Serving:
    """Start a Flow of the Executor `name` of `source`; returns it when it is ready."""
    ports = {protocol: free_port() for protocol in PROTOCOLS}
    numbers = free_port()
    (folder / "work.py").write_text(source)
    (folder / "flow.yml").write_text(
        textwrap.dedent(f"""
            jtype: Flow
            with:
              host: 127.0.0.1
              protocol: {list(ports)}
              port: {list(ports.values())}
            executors:
              - name: work
                uses: work.py:{name}
                max_queue: {max_queue}
                monitoring: true
                port_monitoring: {numbers}
        """)
    )
    process = jina.start("flow", "--uses", folder / "flow.yml")
    wait_until(lambda: process.code is not None or "grpc://" in process.stderr, 30, "ready")
    assert process.code is None, process.stderr
    addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    return Serving(process, {**addresses, "native": f"tcp:{addresses['native']}"}, numbers)
