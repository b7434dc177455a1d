"""Importing the Python files that users write their Executors in."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType


class ModuleMissing(ImportError):
    """A file or module that YAML names is not there."""


def import_modules(names: Iterable[str], source_dir: str) -> list[ModuleType]:
    """Import files and modules in order, and return them.

    Modules beside them, and those in `source_dir`, can be imported by their own name from
    then on.

    Args:
        names: Paths (absolute, or relative to `source_dir`) of Python files or packages, or
            dotted names of modules.
        source_dir: Folder of the YAML; empty for none.

    Raises:
        ModuleMissing: One of them is not there.
        Exception: Whatever their code raised.
    """
    if source_dir:
        make_importable(Path(source_dir))
    return [import_module(name, source_dir) for name in names]


def import_module(name: str, source_dir: str) -> ModuleType:
    """Import one file, package or dotted module; see `import_modules`."""
    path = Path(source_dir, name)
    if name.endswith(".py") or path.is_dir():
        if not path.exists():
            raise ModuleMissing(f"there is no file {path}")
        return _import_path(path.resolve())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ModuleMissing(f"there is no module {name!r}") from error
        raise


def make_importable(folder: Path, before: Path | None = None) -> None:
    """Let modules in `folder` be imported by name.

    The standard library keeps its names; what is installed gives way.

    Args:
        before: A folder whose modules give way, too, where it has some of the same name.
    """
    entry = str(folder)
    if before is not None and str(before) in sys.path:
        place = sys.path.index(str(before))
        if entry not in sys.path[:place]:
            sys.path.insert(place, entry)
        return
    if entry in sys.path:
        return
    installed = (i for i, known in enumerate(sys.path) if known.endswith("-packages"))
    sys.path.insert(next(installed, len(sys.path)), entry)


def _import_path(path: Path) -> ModuleType:
    parts = [] if path.is_dir() or path.name == "__init__.py" else [path.stem]
    own = folder = path if path.is_dir() else path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    if not parts:
        raise ModuleMissing(f"the folder {path} has no __init__.py")
    # A package goes before a module in it that has its name: executor/executor.py.
    make_importable(folder, None if own == folder else own)
    make_importable(own)
    name = ".".join(parts)
    if _is_free(name, path) and _is_free(parts[0], folder / parts[0] if parts[1:] else path):
        return importlib.import_module(name)
    return _import_apart(path)


def _is_free(name: str, path: Path) -> bool:
    """Say whether importing `name` gives the module at `path`."""
    file = path / "__init__.py" if path.is_dir() else path
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names:
        return False
    known = sys.modules.get(name)
    if known is not None:
        return getattr(known, "__file__", None) == str(file)
    if "." in name:
        return True
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin == str(file)


def _import_apart(path: Path) -> ModuleType:
    """Import a module whose own name means something else, under a name of its own."""
    file = path / "__init__.py" if path.is_dir() else path
    name = f"{path.stem}_{hashlib.blake2b(str(file).encode(), digest_size=4).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModuleMissing(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
