"""Jina 3.34 in an environment of its own, to be measured beside us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# `pip install jina==3.34.0` alone finds no set of versions that go together.
REQUIREMENTS = (
    "jina==3.34.0",
    "pydantic<2.11",
    "setuptools<81",
    "prometheus_client<0.22",
    "protobuf==5.29.6",
    "grpcio==1.68.0",
    "grpcio-health-checking==1.68.0",
    "grpcio-reflection==1.68.0",
    "opentelemetry-api==1.45.1",
    "opentelemetry-sdk==1.45.1",
    "opentelemetry-exporter-otlp==1.45.1",
    "opentelemetry-exporter-prometheus==0.66b1",
    "opentelemetry-instrumentation-grpc==0.66b1",
    "opentelemetry-instrumentation-fastapi==0.66b1",
    "opentelemetry-instrumentation-aiohttp-client==0.66b1",
)
VARIABLES = {"JINA_OPTOUT_TELEMETRY": "1", "JINA_HIDE_SURVEY": "1", "PYTHONWARNINGS": "ignore"}
_INSTALL_WITHIN_S = 900


def make(folder: Path, interpreter: str = sys.executable) -> None:
    """Make an environment with Jina 3.34 in `folder`; takes a minute and the network.

    Args:
        interpreter: Of Python 3.11: there is a wheel for that version alone.

    Raises:
        subprocess.CalledProcessError: pip failed; it said why.
    """
    subprocess.run([interpreter, "-m", "venv", str(folder)], check=True, timeout=120)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", *REQUIREMENTS]
    subprocess.run(pip, check=True, timeout=_INSTALL_WITHIN_S)


def command(folder: Path) -> Path:
    """Return the `jina` of an environment.

    Raises:
        FileNotFoundError: There is none.
    """
    path = folder / "bin" / "jina"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; --make-jina-venv {folder} makes it")
    return path.absolute()
