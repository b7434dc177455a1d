"""Where things stand in the user's Python: the line of a call, the file of a class."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from types import FrameType, ModuleType

from jina_cli.diagnostics import Span
from jina_cli.errors import JinaError

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class NotImportable(JinaError):
    """A class is defined where no other process can import it from."""

    code = "JNA916"


def caller() -> Span:
    """Return the line that called into this package; its path is relative where it can be."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    if frame is None:
        return Span("<python>", 1, 1, 2)
    return Span(shown(frame.f_code.co_filename), frame.f_lineno, 1, 2)


def depth() -> int:
    """Return how many calls of this package the caller is below the user's code."""
    frame: FrameType | None = sys._getframe(1)
    found = 0
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, found = frame.f_back, found + 1
    return found


def shown(path: str) -> str:
    """Return a path as messages have it: relative to the working directory if it is below."""
    if not os.path.isabs(path):
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def folder_of(span: Span) -> Path:
    """Return the folder of a Python file; the working directory for a prompt or a notebook."""
    path = Path(os.path.abspath(span.path))
    return path.parent if path.is_file() else Path.cwd()


def name_of_class(cls: type) -> str:
    """Return what `uses` calls a class, so that another process can import it.

    The file of its module is named, not the module: then it does not matter from where, or as
    what, this program was started. What is installed is named as a module.

    Raises:
        NotImportable: It is made inside a function, or typed at a prompt or into a notebook.
    """
    name = cls.__qualname__
    if "<locals>" in name:
        where = name.rpartition(".<locals>")[0]
        raise NotImportable(
            f"the class {cls.__name__!r} is made inside {where}(), where no other process finds it",
            hint="define it at the top of its file",
        )
    if "." in name:
        raise NotImportable(
            f"the class {name!r} is defined inside another class",
            hint="define it at the top of its file",
        )
    module = sys.modules.get(cls.__module__)
    file = _file_of(module)
    if file is None:
        if module is None or cls.__module__ == "__main__":
            raise NotImportable(
                f"the class {name!r} is typed at a prompt or into a notebook, where no other "
                "process finds it",
                hint=f"put it into a file, and say uses='file.py:{name}'",
            )
        return f"{cls.__module__}:{name}"
    if cls.__module__ != "__main__" and _is_installed(file):
        return f"{cls.__module__}:{name}"
    return f"{file}:{name}"


def _file_of(module: ModuleType | None) -> str | None:
    """Return the absolute path of a module's source; None where it has none."""
    path = getattr(module, "__file__", None)
    if not path or not path.endswith(".py"):
        return None
    return os.path.abspath(path) if os.path.isfile(path) else None


def _is_installed(file: str) -> bool:
    folders = {sysconfig.get_path(kind) for kind in ("purelib", "platlib", "stdlib")}
    return file.startswith((_OURS, *(folder + os.sep for folder in folders if folder)))
