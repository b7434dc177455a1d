"""A YAML file → a `FlowSpec`, or all that is wrong with it.

The steps, each of which goes on as far as it can after a problem: read, lay overrides over,
put variables in, bring into one dialect, read the files it names, hold against the schema,
build, check the whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jina_cli.diagnostics import Diagnostic, Severity, Span
from jina_cli.errors import InputMissing, NotPermitted, SpecInvalid
from jina_cli.spec.arguments import check_executor_arguments, check_flow_arguments
from jina_cli.spec.build import build_executor, build_flow
from jina_cli.spec.checks import check_flow
from jina_cli.spec.dialect import canonical_executor, canonical_flow, kind_of, spread
from jina_cli.spec.files import Files
from jina_cli.spec.models import ExecutorSpec, FlowSpec
from jina_cli.spec.nodes import MapNode, Node
from jina_cli.spec.override import Setting, lay_over
from jina_cli.spec.prune import prune
from jina_cli.spec.reading import NotAFile, kind_at
from jina_cli.spec.validate import check


@dataclass(frozen=True, slots=True)
class Loaded:
    """A Flow that can be planned, and what its author should know all the same."""

    spec: FlowSpec
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """All that is known of one file.

    Attributes:
        kind: `flow`, `deployment`, `executor`; empty if it is none of them.
        spec: The model, defaults in the place of what is wrong; None if there is too little.
        diagnostics: Sorted by place.
    """

    kind: str
    spec: FlowSpec | ExecutorSpec | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_valid(self) -> bool:
        return all(d.severity is not Severity.ERROR for d in self.diagnostics)


def load_flow(
    path: str | Path,
    *,
    overrides: Sequence[str | Path | Setting] = (),
    env: Mapping[str, str],
    context: Mapping[str, Any] | None = None,
    lenient: bool = False,
) -> Loaded:
    """Read the Flow in a file; a Deployment is a Flow of one Pod.

    Args:
        path: As messages call it; relative to the working directory.
        overrides: YAML files and single settings laid over it, in order, the last wins.
        env: What variables stand for.
        context: What `${{ CONTEXT.x }}` stands for.
        lenient: Whether unknown keys are warnings; so does `JINA_LENIENT=1` in `env`.

    Raises:
        InputMissing: There is no such file.
        SpecInvalid: With all that is wrong.
    """
    checked = check_file(path, overrides=overrides, env=env, context=context, lenient=lenient)
    if not checked.is_valid:
        raise SpecInvalid(checked.diagnostics)
    if not isinstance(checked.spec, FlowSpec):
        start = Span(str(path), 1, 1, 2)
        message = "this file describes an Executor, and a Flow is needed"
        hint = "name the file in 'uses' of a Pod"
        raise SpecInvalid([Diagnostic(code="JNA111", message=message, span=start, hint=hint)])
    return Loaded(checked.spec, checked.diagnostics)


def check_file(
    path: str | Path,
    *,
    overrides: Sequence[str | Path | Setting] = (),
    env: Mapping[str, str],
    context: Mapping[str, Any] | None = None,
    lenient: bool = False,
    text: bytes | None = None,
) -> Checked:
    """Return what a file describes and all that is wrong with it; see `load_flow`.

    Args:
        text: What stands in it, where it has been read already.

    Raises:
        InputMissing: There is no such file.
    """
    lenient = lenient or env.get("JINA_LENIENT", "").lower() in ("1", "true", "yes")
    texts = {} if text is None else {str(path): text}
    files = Files(env=env, context=context or {}, texts=texts)
    root = _read(files, str(path))
    for override in overrides:
        over = override if isinstance(override, Setting) else _read(files, str(override))
        root = lay_over(root, over, files.problems)
    return check_nodes(root, path=Path(path), files=files, lenient=lenient)


def check_nodes(root: Node | None, *, path: Path, files: Files, lenient: bool = False) -> Checked:
    """Return what nodes describe and all that is wrong with them; they may come from anywhere.

    Args:
        root: Variables are put in already; None where it was too broken to be read.
        path: What the Flow is known by, and named after if it has no name.
        files: Says what is wrong so far, and which folder each of the nodes' places is in.
    """
    kind = kind_of(root) if root is not None else ""
    spec: FlowSpec | ExecutorSpec | None = None
    found: list[Diagnostic] = []
    if isinstance(root, MapNode) and kind in ("flow", "deployment"):
        spec, found = _flow(root, files, path, lenient)
    elif isinstance(root, MapNode) and kind == "executor":
        spec, found = _executor(root, files, lenient)
    elif root is not None:
        found = [_no_root(root, kind)]
    return Checked(kind, spec, _sorted([*files.problems, *found]))


def _read(files: Files, path: str) -> Node | None:
    try:
        return files.read(Path(path), path)
    except FileNotFoundError as error:
        raise InputMissing(f"there is no file {path!r}") from error
    except NotAFile as error:
        what = kind_at(Path(path)) or "no file"
        raise InputMissing(f"{path!r} is {what}, not a YAML file") from error
    except PermissionError as error:
        raise NotPermitted(f"{path!r} may not be read") from error


def _flow(
    root: MapNode, files: Files, path: Path, lenient: bool
) -> tuple[FlowSpec, list[Diagnostic]]:
    flow, found = canonical_flow(root)
    flow, more = files.expanded(flow)
    found += more
    found += check(flow, "flow", lenient=lenient)
    found += check_flow_arguments(flow, lenient=lenient)
    clean = spread(prune(flow, found))
    built = build_flow(clean, source=Path(os.path.abspath(path)), folder_of=files.folder_of)
    checks = check_flow(built.spec, built.steps, built.placed)
    return built.spec, [*found, *built.problems, *checks]


def _executor(root: MapNode, files: Files, lenient: bool) -> tuple[ExecutorSpec, list[Diagnostic]]:
    found: list[Diagnostic] = []
    node = canonical_executor(root, found)
    found += check(node, "executor", lenient=lenient)
    found += check_executor_arguments(node, lenient=lenient)
    clean = prune(node, found)
    assert isinstance(clean, MapNode), "the root is never pruned"
    spec, problems = build_executor(clean, folder_of=files.folder_of)
    return spec, [*found, *problems]


def _no_root(root: Node, kind: str) -> Diagnostic:
    if kind == "gateway":
        message = "a Gateway alone cannot be run"
        hint = "put it under 'gateway' of a Flow"
    elif isinstance(root, MapNode):
        message = "nothing says what this file describes"
        hint = "begin it with 'jtype: Flow', or 'jtype:' and the class of an Executor"
    else:
        message = "a Flow is a mapping, and this is none"
        hint = "begin the file with 'jtype: Flow'"
    return Diagnostic(code="JNA111", message=message, span=root.span, hint=hint)


def _sorted(found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return each problem once, by file as first met, then by place."""
    once = list(dict.fromkeys(found))
    files = list(dict.fromkeys(d.span.path for d in once))
    return tuple(sorted(once, key=lambda d: (files.index(d.span.path), d.span.line, d.span.column)))


__all__ = ["Checked", "Loaded", "Setting", "check_file", "check_nodes", "load_flow"]
