"""A Flow whose Executors break in the ways that its YAML says, and a client for it."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.testing.processes import Jinas, Started, wait_until

EXECUTOR = """
import os
import signal
import subprocess
import time

from jina_cli import Executor, requests

# at import: nothing


class Faulty(Executor):
    def __init__(self, init="", close="", **kwargs):
        super().__init__(**kwargs)
        self._close = close
        exec(init)

    @requests
    def default(self, docs, parameters, **kwargs):
        exec(parameters.get("do", ""))

    def close(self):
        exec(self._close)
"""


def write_flow(
    folder: Path, *, init: str = "", close: str = "", at_import: str = "", replicas: int = 1
) -> Path:
    """Write a Flow of the Pods `sound` and `faulty`; code given is run there."""
    (folder / "executor.py").write_text(EXECUTOR.replace("# at import: nothing", at_import))
    flow = folder / "flow.yml"
    flow.write_text(
        dedent(f"""\
            jtype: Flow
            with: {{protocol: http}}
            executors:
              - name: sound
                uses: executor.py:Faulty
                needs: gateway
              - name: faulty
                uses: executor.py:Faulty
                replicas: {replicas}
                max_restarts: 2
                uses_with: {json.dumps({"init": init, "close": close})}
            """)
    )
    return flow


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def can_bind(port: int) -> bool:
    """Return whether a port can be listened on."""
    try:
        socket.create_server(("0.0.0.0", port)).close()
    except OSError:
        return False
    return True


def started(jina: Jinas, flow: Path, *more: str) -> tuple[Started, str]:
    """Return a Flow that is ready, and its HTTP address."""
    process = jina.start("flow", "--uses", flow, *more)
    found = wait_until(
        lambda: process.code is not None or re.search(r"http://\S+", process.stderr), 20, "ready"
    )
    assert isinstance(found, re.Match), process.stderr
    return process, found[0].replace("0.0.0.0", "127.0.0.1")


def post(address: str, do: str = "", *, endpoint: str = "/do", timeout_s: float = 20.0) -> Any:
    """Post one document and return the answer; its status is under `status`.

    Raises:
        OSError: Nobody accepts, or the connection broke.
    """
    body: Mapping[str, Any] = {"data": [{"text": "hi"}], "parameters": {"faulty__do": do}}
    request = urllib.request.Request(
        address + endpoint,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            return {**json.loads(response.read()), "status": response.status}
    except urllib.error.HTTPError as error:
        return {**json.loads(error.read()), "status": error.code}
