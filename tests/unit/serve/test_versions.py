"""What the Gateway tells of its versions, and what that costs an edge."""

from __future__ import annotations

import subprocess
import sys

from jina_cli._version import __version__
from jina_cli.serve.versions import versions

SCRIPT = """
import sys
import jina_cli.serve.grpc_server
foreign = ("jina_cli.serve.http_", "grpc", "google", "numpy", "uvicorn")
print(*(name for name in sys.modules if name.startswith(foreign)))
"""


def test_our_own_version_and_those_of_the_libraries_are_told() -> None:
    found = versions()

    assert found["jina"] == __version__
    assert {"python", "platform", "grpcio", "numpy"} <= set(found)


def test_the_grpc_edge_imports_nothing_of_the_http_edge_nor_heavy_libraries() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == ""
