"""The YAML files that one Flow is made of: read once, variables put in, places remembered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.spec.dialect import canonical_executor, canonical_pod, kind_of
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, text_of
from jina_cli.spec.source import load, load_bytes
from jina_cli.spec.substitute import substitute
from jina_cli.spec.uses import YAML_ENDINGS, Classes, Site, find_file


class Files:
    """Reads YAML files for one Flow.

    Args:
        env: What variables stand for.
        context: What `${{ CONTEXT.x }}` stands for.
        texts: Files that are read already, by what messages call them.

    Attributes:
        problems: Of the texts and variables of all files read so far.
    """

    def __init__(
        self,
        *,
        env: Mapping[str, str],
        context: Mapping[str, Any],
        texts: Mapping[str, bytes] | None = None,
    ) -> None:
        self._env = env
        self._context = context
        self._texts = texts or {}
        self._nodes: dict[Path, Node | None] = {}
        self._folders: dict[str, Path] = {}
        self._first = Path.cwd()
        self.problems: list[Diagnostic] = []

    def read(self, path: Path, shown: str) -> Node | None:
        """Return the nodes of a file, or None if it is too broken.

        Raises:
            OSError: It cannot be read.
        """
        absolute = Path(os.path.abspath(path))
        if absolute not in self._nodes:
            text = self._texts.get(shown)
            node, problems = load(absolute, shown) if text is None else load_bytes(text, shown)
            if not self._folders:
                self._first = absolute.parent
            self._folders[shown] = absolute.parent
            if node is not None:
                node, more = substitute(node, env=self._env, context=self._context)
                problems += more
            self.problems += problems
            self._nodes[absolute] = node
        return self._nodes[absolute]

    def stand_in(self, shown: str, folder: Path) -> None:
        """Say which folder `shown` is in: what was written there was read by somebody else."""
        self._folders.setdefault(shown, folder)

    def folder_of(self, span: Span) -> Path:
        """Return the absolute folder of the file that a place is in.

        What was given on the command line counts as standing in the Flow's file.
        """
        return self._folders.get(span.path, self._first)

    def expanded(self, flow: MapNode) -> tuple[MapNode, list[Diagnostic]]:
        """Return a canonical Flow with the files of its Pods and Executors in their place."""
        pods = flow.get("executors")
        if not isinstance(pods, ListNode):
            return flow, []
        work = _Expansion(self)
        items = tuple(work.pod(item, f"executors[{n}]") for n, item in enumerate(pods.items))
        entry = replace(flow.entries["executors"], value=replace(pods, items=items))
        return flow.with_entries({**flow.entries, "executors": entry}), work.problems


class _Expansion:
    def __init__(self, files: Files) -> None:
        self._files = files
        self.problems: list[Diagnostic] = []

    def pod(self, item: Node, path: str) -> Node:
        if isinstance(item, ScalarNode) and isinstance(item.value, str) and not item.unknown:
            found = self._file(item, path, None)
            if found is None:
                return MapNode({}, item.span)
            if kind_of(found) != "deployment":
                self._report(
                    "JNA507", f"{text_of(item)!r} describes no Deployment", item.span, path
                )
                return MapNode({}, item.span)
            item = canonical_pod(found, False, self.problems)
        if not isinstance(item, MapNode):
            return item
        entries = dict(item.entries)
        for key in ("uses", "uses_before", "uses_after"):
            entry = entries.get(key)
            name = text_of(entry.value) if entry is not None else ""
            if entry is not None and name.endswith(YAML_ENDINGS) and "://" not in name:
                held = self._executor(entry.value, f"{path}.{key}", item)
                entries[key] = Entry(entry.span, held)
        return item.with_entries(entries)

    def _executor(self, name: Node, path: str, pod: MapNode) -> Node:
        found = self._file(name, path, pod)
        if found is None:
            return _nothing_known(name)
        if not isinstance(found, MapNode) or kind_of(found) != "executor":
            what = kind_of(found).capitalize()
            article = f"describes a {what}, not" if what else "does not describe"
            message = f"{text_of(name)!r} {article} an Executor"
            hint = "begin it with 'jtype:' and the name of a class"
            self._report("JNA507", message, name.span, path, hint)
            return _nothing_known(name)
        return canonical_executor(found, self.problems)

    def _file(self, name: Node, path: str, pod: MapNode | None) -> Node | None:
        """Return the nodes of a file; None after it was reported."""
        folder = self._files.folder_of(name.span)
        more = pod.get("extra_search_paths") if pod else None
        given = more.items if isinstance(more, ListNode) else (more,) if more else ()
        site = Site(
            folder=folder,
            span=name.span,
            more=tuple(folder / text_of(each) for each in given),
            path=path,
        )
        text = text_of(name)
        found = find_file(text, site)
        if found is None:
            classes = Classes()
            classes.missing_file(text, site)
            self.problems += classes.problems
            return None
        try:
            return self._files.read(found, _shown(found, text, name.span))
        except OSError as error:
            self._report("JNA501", f"{text!r} cannot be read: {error.strerror}", name.span, path)
            return None

    def _report(
        self, code: str, message: str, span: Span, path: str, hint: str | None = None
    ) -> None:
        self.problems.append(
            Diagnostic(code=code, message=message, span=span, hint=hint, path=path)
        )


def _nothing_known(name: Node) -> ScalarNode:
    return ScalarNode(text_of(name), name.span, unknown=True)


def _shown(found: Path, text: str, span: Span) -> str:
    """Return what messages call a file that another one names."""
    beside = os.path.normpath(os.path.join(os.path.dirname(span.path), text))
    if os.path.abspath(beside) == str(found):
        return beside
    relative = os.path.relpath(found)
    return str(found) if relative.startswith("..") else relative
