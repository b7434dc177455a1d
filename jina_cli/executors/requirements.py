"""What an Executor asks to be installed before it is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from jina_cli.errors import NotPermitted
from jina_cli.executors.registry import Wanted

ALLOWED = "JINA_ALLOW_INSTALL"
"""Variable that says that packages may be installed because an Executor asks for them."""


def requirements_of(wanted: Wanted) -> list[Path]:
    """Return the `requirements.txt` beside the files of an Executor, and beside its YAML."""
    return [path for folder in dict.fromkeys(_folders(wanted)) if (path := _in(folder)).is_file()]


def check_requirements(wanted: Iterable[Wanted], environment: Mapping[str, str]) -> None:
    """Refuse to go on where packages were to be installed, and nobody allowed it.

    Raises:
        NotPermitted: It names the file, and both ways on.
    """
    if environment.get(ALLOWED) == "1":
        return
    for one in wanted:
        for path in requirements_of(one):
            raise NotPermitted(
                f"{one.uses} asks for packages to be installed, which is not allowed",
                hint=f"run 'pip install -r {path}' and drop install_requirements,"
                f" or set {ALLOWED}=1",
            )


def _folders(wanted: Wanted) -> Iterator[Path]:
    for name in (wanted.uses.rpartition(":")[0] or wanted.uses, *wanted.py_modules):
        path = Path(wanted.source_dir, name)
        if path.suffix == ".py":
            yield path.parent
        elif path.is_dir():
            yield path
    if wanted.source_dir:
        yield Path(wanted.source_dir)


def _in(folder: Path) -> Path:
    return folder / "requirements.txt"
