"""What runs here, as the pages and services of every edge tell it."""

from __future__ import annotations

import platform

from jina_cli._version import __version__


def versions() -> dict[str, str]:
    """Return the versions that a report of a problem needs, without importing anything."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and asked for rarely

    found = {
        "jina": __version__,
        "python": platform.python_version(),
        "platform": platform.system(),
    }
    for name in ("docarray", "grpcio", "numpy", "protobuf", "websockets"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
