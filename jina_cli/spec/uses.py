"""What `uses` and `py_modules` name → a class that can be loaded, without importing anything.

Files are looked for in the folder of the YAML that names them, in `extra_search_paths`, and in
the working directory. Whether a Python file defines a class is read off its syntax tree.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.nearest import nearest
from jina_cli.spec.reading import MAX_BYTES, kind_at, read_start
from jina_cli.spec.schemas import rules

YAML_ENDINGS = (".yml", ".yaml", ".jaml")

_REFUSED: Mapping[str, str] = {
    "docker": "Pods are processes of this machine, not containers",
    "jinahub": "Executors are not fetched from a hub",
    "jinaai": "Executors are not fetched from a hub",
    "http": "code is not fetched from the network",
}
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a name stands.

    Attributes:
        folder: Of the YAML file, absolute.
        more: Other folders to look in, absolute, in order.
        span: Of the name.
        path: Its key, for messages.
    """

    folder: Path
    span: Span
    more: tuple[Path, ...] = ()
    path: str = ""

    @property
    def folders(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.folder, *self.more, Path.cwd())))


def find_file(name: str, site: Site) -> Path | None:
    """Return the absolute path of a file, or None if it is in none of the folders."""
    for path in places_of(name, site):
        if path.is_file():
            return Path(os.path.normpath(path))
    return None


def places_of(name: str, site: Site) -> list[Path]:
    """Return the absolute paths where a file may be, in order."""
    return [folder / os.path.expanduser(name) for folder in site.folders]


class Classes:
    """Resolves names of classes. Keeps what it read, since Pods share files.

    Attributes:
        problems: What could not be resolved.
    """

    def __init__(self) -> None:
        self._trees: dict[Path, ast.Module | None] = {}
        self.problems: list[Diagnostic] = []

    def py_module(self, name: str, site: Site) -> str | None:
        """Return one of `py_modules` as an absolute path or a dotted module."""
        found = find_file(name, site) or find_file(os.path.join(name, "__init__.py"), site)
        if found:
            return str(found)
        if _DOTTED.fullmatch(name) and not name.endswith(".py"):
            if _module_file(name, site.folders) is not None:
                return name
            self._report("JNA509", f"there is no Python module {name!r}", site, None)
            return None
        self.missing_file(name, site)
        return None

    def name_of(self, uses: str, py_modules: Sequence[str] | None, site: Site) -> str:
        """Return `uses` as `ExecutorSpec.jtype` has it; where it cannot be, as it was.

        Args:
            py_modules: Resolved; None where one is not there, so that nothing can be said of
                a bare name.
        """
        scheme, found, _ = uses.partition("://")
        if found:
            self._refuse(uses, scheme, site)
            return uses
        before, colon, name = uses.rpartition(":")
        if colon and before.endswith(".py"):
            return self._in_file(before, name, site) or uses
        if colon:
            return self._in_module(before, name, site) or uses
        if uses.endswith(".py"):
            hint = f"write '{uses}:MyExecutor', with the name of the class"
            self._report("JNA508", f"{uses!r} does not say which class", site, hint)
            return uses
        if not _DOTTED.fullmatch(uses):
            hint = "write a name, file.py:Class, package.module:Class or the path of a YAML file"
            self._report("JNA508", f"{uses!r} names no Executor", site, hint)
            return uses
        module, dot, name = uses.rpartition(".")
        if dot:
            return self._in_module(module, name, site) or uses
        if py_modules is not None:
            self._bare(uses, py_modules, site)
        return uses

    def _in_file(self, file: str, name: str, site: Site) -> str | None:
        path = find_file(file, site)
        if path is None:
            self.missing_file(file, site)
            return None
        self._need_class(path, name, site)
        return f"{path}:{name}"

    def _in_module(self, module: str, name: str, site: Site) -> str | None:
        path = _module_file(module, site.folders)
        if path is None:
            hint = "is it installed in this environment, or beside the YAML file?"
            self._report("JNA509", f"there is no Python module {module!r}", site, hint)
            return None
        if path.suffix == ".py":
            self._need_class(path, name, site, f"the module {module!r}")
        return f"{module}:{name}"

    def _bare(self, name: str, py_modules: Sequence[str], site: Site) -> None:
        builtin = rules()["executor"].properties["jtype"].builtin
        if name in builtin:
            return
        files = [Path(module) for module in py_modules if module.endswith(".py")]
        defined = [self._names(file) for file in files]
        # A dotted module, or a file that makes names as it runs, may define anything.
        if len(files) < len(py_modules) or None in defined:
            return
        known = sorted({one for names in defined if names for one in names})
        if name in known:
            return
        installed = _entry_points()
        if name in installed:
            return
        near = nearest(name, [*known, *builtin, *installed], 0.75)
        hint = f"did you mean {near!r}?" if near else _how_to_name(name, files)
        where = ", ".join(_shown(file) for file in files)
        message = f"no class {name!r} in {where}" if files else f"there is no Executor {name!r}"
        self._report("JNA503" if files else "JNA504", message, site, hint)

    def _need_class(self, path: Path, name: str, site: Site, where: str = "") -> None:
        names = self._names(path, site)
        if names is None or name in names:
            return
        near = nearest(name, sorted(names))
        hint = f"did you mean {near!r}?" if near else None
        self._report("JNA503", f"no class {name!r} in {where or _shown(path)}", site, hint)

    def _names(self, path: Path, site: Site | None = None) -> set[str] | None:
        """Return the names that a file defines; None if only running it would tell."""
        if path not in self._trees:
            self._trees[path] = self._tree(path, site)
        tree = self._trees[path]
        return None if tree is None else _defined(tree)

    def _tree(self, path: Path, site: Site | None) -> ast.Module | None:
        try:
            data = read_start(path)
            if len(data) > MAX_BYTES:
                raise ValueError("it has more than 16 MiB")
            return ast.parse(data, str(path))
        except (SyntaxError, ValueError, OSError) as error:
            at = Span(_shown(path), 1, 1, 2)
            if isinstance(error, SyntaxError) and error.lineno:
                column = max(error.offset or 1, 1)
                at = Span(_shown(path), error.lineno, column, column + 1)
            message = f"this is not Python: {getattr(error, 'msg', error)}"
            hint = f"line {site.span.line} of {site.span.path} uses this file" if site else None
            self.problems.append(Diagnostic(code="JNA506", message=message, span=at, hint=hint))
            return None

    def missing_file(self, name: str, site: Site) -> None:
        """Report that a file is in none of the folders of its site."""
        kind = next((kind for each in places_of(name, site) if (kind := kind_at(each))), "")
        if kind:
            self._report("JNA501", f"{name!r} is {kind}, not a file", site, None)
            return
        near = _near_file(name, site)
        hint = f"did you mean {near!r}?" if near else f"looked beside {site.span.path}"
        if not near and site.more:
            hint += ", in " + ", ".join(_shown(folder) for folder in site.more)
        self._report("JNA501", f"there is no file {name!r}", site, hint)

    def _refuse(self, uses: str, scheme: str, site: Site) -> None:
        for start, reason in _REFUSED.items():
            if scheme.startswith(start):
                hint = "write file.py:Class, or the name of an installed Executor"
                self._report("JNA505", f"{uses!r} cannot be used: {reason}", site, hint)
                return
        self._report("JNA508", f"{uses!r} names no Executor", site, None)

    def _report(self, code: str, message: str, site: Site, hint: str | None) -> None:
        self.problems.append(
            Diagnostic(code=code, message=message, span=site.span, hint=hint, path=site.path)
        )


def _defined(tree: ast.Module) -> set[str] | None:
    names: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        match node:
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.FunctionDef(name="__getattr__"):
                return None
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                if any(alias.name == "*" for alias in aliases):
                    return None
                names.update((alias.asname or alias.name).partition(".")[0] for alias in aliases)
            case ast.Assign(targets=targets):
                names.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.If() | ast.Try() | ast.With() | ast.ExceptHandler():
                pending.extend(ast.iter_child_nodes(node))
            case _:
                pass
    return names


def _module_file(dotted: str, folders: Sequence[Path]) -> Path | None:
    """Return the file of a module without importing any, its parents included."""
    import importlib.util
    from importlib.machinery import PathFinder

    head, *rest = dotted.split(".")
    spec = PathFinder.find_spec(head, [str(folder) for folder in folders])
    if spec is None or (spec.origin is None and rest == []):
        try:
            spec = importlib.util.find_spec(head)
        except (ImportError, ValueError):
            return None
    name = head
    for step in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{step}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return Path(spec.origin) if spec is not None and spec.origin else None


def _entry_points() -> list[str]:
    from importlib.metadata import entry_points

    return [point.name for point in entry_points(group="jina.executors")]


def _how_to_name(name: str, files: Sequence[Path]) -> str:
    if files:
        return "is the name right, and does the file define it at its top level?"
    return f"add the file that defines it under 'py_modules', or write file.py:{name}"


def _near_file(name: str, site: Site) -> str | None:
    folder = site.folder / os.path.dirname(name)
    try:
        siblings = os.listdir(folder)
    except OSError:
        return None
    near = nearest(os.path.basename(name), siblings, 0.8)
    return os.path.join(os.path.dirname(name), near) if near else None


def _shown(path: Path) -> str:
    """Return a path as short as it can be said from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
