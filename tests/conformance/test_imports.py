"""The layers of the package: who may import whom, read from the source.

A module of one layer imports another layer only if the table says so. The table is the
architecture; change it on purpose or not at all.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "jina_cli"

SHARED = frozenset(
    {
        "_version",
        "errors",
        "diagnostics",
        "vocabulary",
        "resources",
        "lifeline",
        "tether",
        "quick",
        "nearest",
        "files",
        "memory",
        "extras",
    },
)
"""May be imported by all, and import none of ours but each other."""

ALLOWED: Mapping[str, frozenset[str]] = {
    "spec": frozenset(),
    "plan": frozenset({"spec"}),
    "documents": frozenset(),
    "wire": frozenset({"documents"}),
    "drivers": frozenset({"documents"}),
    "store": frozenset({"documents"}),
    # Of `orchestrate` only what `Executor.serve` and `.load_config` need, when they are called.
    "executors": frozenset(
        {
            "documents",
            "drivers",
            "store",
            "evaluate",
            "plan.models",
            "orchestrate.deployment",
            "orchestrate.described",
        }
    ),
    "runtime": frozenset(
        {"executors", "drivers", "documents", "wire", "observe", "plan.models", "plan.codec"}
    ),
    "supervise": frozenset({"plan.models", "plan.codec"}),
    "serve": frozenset({"wire", "documents", "observe", "plan.models", "plan.codec"}),
    "observe": frozenset({"wire", "plan.models"}),
    "client": frozenset({"wire", "documents"}),
    "export": frozenset({"spec", "plan"}),
    "orchestrate": frozenset({"spec", "plan", "supervise", "client", "export"}),
    "evaluate": frozenset(),
    "report": frozenset(),
    "hello": frozenset({"client", "documents", "executors", "report", "evaluate"}),
    # What `import jina` finds.
    "import_name": frozenset({"executors"}),
}
"""Layer → layers, or single modules, that it may import. `cli` may import all."""

ONE_PLACE = {
    "subprocess": {"supervise.spawn"},
    "multiprocessing": {"supervise.spawn"},
}
"""Modules of the standard library that start processes → where they may be imported."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the dotted name inside the package, and the syntax tree, of every module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        yield ".".join(parts), ast.parse(path.read_text("utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of everything that is imported, at any depth of the code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(name: str) -> str | None:
    """Return the dotted name inside the package, or None for what is not ours."""
    return name.removeprefix("jina_cli.") if name.startswith("jina_cli.") else None


MODULES = dict(modules())


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    layer = module.partition(".")[0]
    if layer in {"cli", "__main__"}:
        return
    allowed = ALLOWED.get(layer, frozenset()) | SHARED | ({layer} if layer in ALLOWED else set())

    forbidden = {
        target
        for name in imported(MODULES[module])
        if (target := ours(name)) is not None
        and not any(target == one or target.startswith(f"{one}.") for one in allowed)
    }

    assert not forbidden, f"{module} may import {sorted(allowed)}, not {sorted(forbidden)}"


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_processes_are_started_in_one_place(module: str) -> None:
    for name in imported(MODULES[module]):
        places = ONE_PLACE.get(name.partition(".")[0])
        assert places is None or module in places, f"{module} imports {name}"


def test_only_the_spawner_forks() -> None:
    forking = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"fork", "forkpty"}
    }

    assert forking <= {"runtime.spawner"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = set(MODULES)
    graph = {
        name: {
            target
            for imported_name in top_level_imports(tree)
            if (target := ours(imported_name)) in known and target != name
        }
        for name, tree in MODULES.items()
    }

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def top_level_imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(ast.Module([node], []))


@pytest.mark.parametrize("verb", [["--help"], ["--version"], ["validate", "--help"]])
def test_the_command_line_starts_without_heavy_libraries(verb: list[str]) -> None:
    heavy = {"numpy", "grpc", "docarray", "pydantic", "starlette", "uvicorn", "google.protobuf"}
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['jina', *{verb!r}]\n"
        "try:\n    runpy.run_module('jina_cli', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stderr.strip().splitlines()[-1] == "[]"
