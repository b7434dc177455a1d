"""What the Gateway and the command line import of the wire stays light."""

from __future__ import annotations

import subprocess
import sys

LIGHT = (
    "messages",
    "frames",
    "native",
    "connection",
    "server",
    "link",
    "channel",
    "descriptors",
    "parameters",
    "jina3",
    "json",
)
HEAVY = ("numpy", "docarray", "pydantic", "grpc", "google.protobuf")

SCRIPT = f"""
import importlib, sys
for name in {LIGHT!r}:
    importlib.import_module(f"jina_cli.wire.{{name}}")
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_nothing_but_bodies_imports_numpy_or_more() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == ""
