"""Optional libraries, imported where they are needed and not before."""

from __future__ import annotations

import importlib
from types import ModuleType

from jina_cli.errors import JinaError, MissingExtra


class MissingLibrary(JinaError):
    """A library that a user brings himself is not installed.

    Attributes:
        package: What to install.
    """

    code = MissingExtra.code

    def __init__(self, what: str, package: str) -> None:
        self.package = package
        super().__init__(f"{what} needs the package {package!r}", hint=f"pip install {package}")


def need(module: str, extra: str, *, what: str = "") -> ModuleType:
    """Return a module that an extra of ours brings.

    Args:
        module: Its dotted name, `usearch.index`.
        extra: The extra, `ann`.
        what: Who needs it, as the error shall say; by default "what uses `module`".

    Raises:
        MissingExtra: It is not installed.
        ImportError: It is installed, and broken.
    """
    found = _imported(module)
    if found is None:
        raise MissingExtra(what or f"what uses {module.partition('.')[0]!r}", extra)
    return found


def bring(module: str, package: str, *, what: str) -> ModuleType:
    """Return a module of a package that users install themselves.

    Raises:
        MissingLibrary: It is not installed.
        ImportError: It is installed, and broken.
    """
    found = _imported(module)
    if found is None:
        raise MissingLibrary(what, package)
    return found


def _imported(module: str) -> ModuleType | None:
    """Return a module; None if it, or the package it is in, is not there."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A library that is there and lacks one of its own is broken: that is another message.
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            return None
        raise
