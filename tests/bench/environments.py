"""The peers' own environments: what is in each, how they are made, which are there."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.testing import jina_peer

_SERVER = ("uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0", "numpy==2.4.6")

REQUIREMENTS = {
    "starlette": ("starlette==1.10.0", "orjson==3.13.0", *_SERVER),
    "litserve": ("litserve==0.2.19", *_SERVER),
    # LitServe does not start where `mcp` is installed, which txtai brings.
    "txtai": ("txtai[api]==9.14.0", *_SERVER),
}
"""Of each peer, by its name; an environment is the folder of that name."""
_INSTALL_WITHIN_S = 1800


def make(folder: Path, names: Iterable[str]) -> None:
    """Make those environments in `folder` that are not there; takes minutes, and the network.

    Raises:
        subprocess.CalledProcessError: pip failed; it said why.
    """
    for name in names:
        if python_of(folder, name).is_file():
            continue
        print(f"making {folder / name}", file=sys.stderr)
        venv = [sys.executable, "-m", "venv", str(folder / name)]
        pip = [str(python_of(folder, name)), "-m", "pip", "install", "--quiet"]
        try:
            subprocess.run(venv, check=True, timeout=120)
            subprocess.run([*pip, *REQUIREMENTS[name]], check=True, timeout=_INSTALL_WITHIN_S)
        except BaseException:
            shutil.rmtree(folder / name, ignore_errors=True)  # half of one would pass for one
            raise


def present(folder: Path | None, names: Iterable[str]) -> dict[str, Path]:
    """Return the interpreters that are there, by peer; what is missing is told in one line."""
    there = {n: python_of(folder, n) for n in names if folder and python_of(folder, n).is_file()}
    if missing := [name for name in names if name not in there]:
        made = f"--make-peers {folder or 'DIR'} makes them"
        print(
            f"left out, for want of an environment: {', '.join(missing)}; {made}", file=sys.stderr
        )
    return there


def python_of(folder: Path, name: str) -> Path:
    return (folder / name / "bin" / "python").absolute()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the folder of the peers' environments."""
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    parser.add_argument("--make-peers", type=Path, help="make them there first, if missing")


def of_options(options: argparse.Namespace, names: Iterable[str]) -> dict[str, Path]:
    """Return the interpreters of the peers, by name; makes them where that was asked for."""
    if options.make_peers:
        make(options.make_peers, names)
    return present(options.make_peers or options.peers, names)


def add_jina_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name our command, and the environment of Jina 3.34."""
    ours = Path(sysconfig.get_path("scripts")) / "jina"
    parser.add_argument("--jina", type=Path, default=ours, help="our command")
    parser.add_argument("--jina-venv", type=Path, help="environment with Jina 3.34")
    parser.add_argument("--make-jina-venv", type=Path, help="make that environment first")


def jina_of_options(options: argparse.Namespace) -> Path | None:
    """Return Jina's own command, or None where no environment was named.

    Raises:
        FileNotFoundError: The environment that was named has none.
    """
    if options.make_jina_venv:
        jina_peer.make(options.make_jina_venv)
    if folder := options.make_jina_venv or options.jina_venv:
        return jina_peer.command(folder)
    print("left out, for want of --jina-venv: Jina 3.34", file=sys.stderr)
    return None
