"""A Flow as it is being written: nodes, as a YAML file would give them, each with its line.

Pure: every change gives a new draft. Nothing is judged before `checked`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jina_cli.diagnostics import Diagnostic, Severity, Span
from jina_cli.errors import InputMissing, NotPermitted, SpecInvalid
from jina_cli.orchestrate.places import folder_of
from jina_cli.spec.models import FlowSpec
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, from_data, text_of

if TYPE_CHECKING:
    from jina_cli.spec.load import Loaded

_PODS = ("executors", "deployments", "pods")
NAMING = ("uses", "uses_before", "uses_after")
"""Keys of a Pod that name an Executor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is said of a Flow so far.

    Attributes:
        root: As in its YAML, in Jina 3's dialect or 0.9's.
        source: Path of its YAML; for one written in Python that of the script.
        folders: What messages call a file → its folder, of all files read or called from.
        problems: Found while the text was read.
        context: What `${{ CONTEXT.x }}` stands for in files that it names.
        is_file: Whether `source` is its YAML.
    """

    root: MapNode
    source: Path
    folders: Mapping[str, Path] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    is_file: bool = False

    def with_pod(self, values: Mapping[str, Any], span: Span) -> Draft:
        """Return it with one more Pod."""
        key = next((key for key in _PODS if key in self.root.entries), "executors")
        pods = self.root.get(key)
        items = pods.items if isinstance(pods, ListNode) else ()
        added = ListNode((*items, from_data(values, span)), pods.span if pods else span)
        return self._with(key, added, span)

    def with_values(self, key: str, values: Mapping[str, Any], span: Span) -> Draft:
        """Return it with keys of `with` or `gateway` set; those that were there are replaced."""
        held = self.root.get(key)
        before = held.entries if isinstance(held, MapNode) else {}
        new = {name: Entry(span, from_data(value, span)) for name, value in values.items()}
        return self._with(key, MapNode({**before, **new}, held.span if held else span), span)

    @property
    def name(self) -> str:
        """Its name, or what it is named after."""
        held = self.root.get("with")
        inner = text_of(held.get("name")) if isinstance(held, MapNode) else ""
        return text_of(self.root.get("name")) or inner or self.source.stem

    def says(self, key: str) -> bool:
        """Return whether a switch under `with` is on."""
        held = self.root.get("with")
        return isinstance(held, MapNode) and text_of(held.get(key)).lower() == "true"

    def refuse_py_modules(self) -> None:
        """Check that nothing asks for Python files to be imported.

        Raises:
            SpecInvalid: With each that does.
        """
        found = tuple(_py_modules(self.root, ""))
        if found:
            raise invalid(found)

    def with_classes(self, known: Callable[[str], str | None]) -> Draft:
        """Return it with bare names of classes replaced by what other processes can import.

        Args:
            known: Name of a class → what `uses` shall say; None leaves it.
        """
        entries = dict(self.root.entries)
        for key in _PODS:
            pods = self.root.get(key)
            if isinstance(pods, ListNode):
                items = tuple(_with_classes(pod, known) for pod in pods.items)
                entries[key] = replace(entries[key], value=replace(pods, items=items))
        inner = self.root.get("with")
        if text_of(self.root.get("jtype")) in ("Deployment", "Pod") and inner is not None:
            entries["with"] = replace(entries["with"], value=_with_classes(inner, known))
        return replace(self, root=self.root.with_entries(entries))

    def checked(self, env: Mapping[str, str], *, lenient: bool = False) -> Loaded:
        """Return the Flow's model, and what its author should know all the same.

        Args:
            env: What variables stand for in files that it names.
            lenient: Whether unknown keys are warnings; so does `JINA_LENIENT=1` in `env`.

        Raises:
            SpecInvalid: With all that is wrong; the first is its message, the others its notes.
        """
        from jina_cli.spec.files import Files
        from jina_cli.spec.load import Loaded, check_nodes

        files = Files(env=env, context=self.context)
        for shown, folder in self.folders.items():
            files.stand_in(shown, folder)
        files.problems += self.problems
        lenient = lenient or env.get("JINA_LENIENT", "").lower() in ("1", "true", "yes")
        found = check_nodes(self.root, path=self.source, files=files, lenient=lenient)
        if not isinstance(found.spec, FlowSpec) or not found.is_valid:
            raise invalid(found.diagnostics)
        return Loaded(found.spec, found.diagnostics)

    def _with(self, key: str, value: Node, span: Span) -> Draft:
        root = self.root.with_entries({**self.root.entries, key: Entry(span, value)})
        return replace(self, root=root, folders={span.path: folder_of(span), **self.folders})


def invalid(found: tuple[Diagnostic, ...]) -> SpecInvalid:
    """Return the error for what is wrong with a Flow, every problem in its text."""
    errors = [each for each in found if each.severity is Severity.ERROR]
    error = SpecInvalid(errors)
    for each in errors[1:]:
        error.add_note(f"{each.span}: {each.message}" + (f": {each.hint}" if each.hint else ""))
    return error


def new_draft(jtype: str, values: Mapping[str, Any], span: Span) -> Draft:
    """Return a Flow, or a Deployment, of which only its own arguments are known."""
    entries = {"jtype": Entry(span, from_data(jtype, span))}
    if values or jtype != "Flow":
        entries["with"] = Entry(span, from_data(values, span))
    if jtype == "Flow":
        entries["executors"] = Entry(span, ListNode((), span))
    return Draft(
        root=MapNode(entries, span),
        source=Path(os.path.abspath(span.path)),
        folders={span.path: folder_of(span)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How YAML is read: what its variables stand for, and whether there are any."""

    env: Mapping[str, str]
    context: Mapping[str, Any] = field(default_factory=dict)
    substitute: bool = True


def read_draft(source: Any, how: Reading, span: Span) -> Draft:
    """Return what a file, a text or a dict says.

    Args:
        source: Path; or YAML with more than one line, or with a colon; or what `read` gives it;
            or a dict.
        span: The line that wants it read.

    Raises:
        InputMissing: There is no such file.
        NotPermitted: It may not be read.
        SpecInvalid: There is no mapping in it.
        TypeError: It is none of these.
    """
    if isinstance(source, Mapping):
        draft = _draft_of(from_data(source, span), span.path, how, [])
        return replace(draft, folders={span.path: folder_of(span)})
    if hasattr(source, "read"):
        source = source.read()
        source = source if isinstance(source, bytes) else str(source).encode()
    elif isinstance(source, str) and _is_text(source):
        source = source.encode()
    if isinstance(source, bytes):
        from jina_cli.spec.source import load_bytes

        node, problems = load_bytes(source, "<yaml>")
        draft = _draft_of(node, "<yaml>", how, problems)
        folders = {"<yaml>": folder_of(span), span.path: folder_of(span)}
        return replace(draft, source=Path(os.path.abspath(span.path)), folders=folders)
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"a Flow is read from a path, a text or a dict, not {type(source)}")
    return _read_file(os.fspath(source), how, span)


def _is_text(text: str) -> bool:
    """Return whether this is YAML, not the path of a file with YAML."""
    return "\n" in text.strip() or (":" in text and not os.path.exists(text))


def _read_file(path: str, how: Reading, span: Span) -> Draft:
    from jina_cli.spec.source import load

    folders = (Path.cwd(), folder_of(span))
    place = next((found for f in folders if (found := f / path).is_file()), Path(path))
    try:
        node, problems = load(place, path)
    except FileNotFoundError as error:
        raise InputMissing(f"there is no file {path!r}") from error
    except PermissionError as error:
        raise NotPermitted(f"{path!r} may not be read") from error
    except OSError as error:
        raise InputMissing(f"{path!r} cannot be read: {error.strerror}") from error
    draft = _draft_of(node, path, how, problems)
    absolute = Path(os.path.abspath(place))
    return replace(draft, source=absolute, folders={path: absolute.parent}, is_file=True)


def _draft_of(node: Node | None, shown: str, how: Reading, problems: list[Diagnostic]) -> Draft:
    from jina_cli.spec.substitute import substitute

    if node is not None and how.substitute:
        node, more = substitute(node, env=how.env, context=how.context)
        problems = [*problems, *more]
    if not isinstance(node, MapNode):
        start = node.span if node is not None else Span(shown, 1, 1, 2)
        message = "a Flow is a mapping, and this is none"
        hint = "begin it with 'jtype: Flow'"
        none = Diagnostic(code="JNA111", message=message, span=start, hint=hint)
        raise invalid((*problems, none) if node is not None or not problems else tuple(problems))
    source = Path(os.path.abspath(shown))
    return Draft(root=node, source=source, problems=tuple(problems), context=how.context)


def _with_classes(pod: Node, known: Callable[[str], str | None]) -> Node:
    if not isinstance(pod, MapNode) or "py_modules" in pod.entries:
        return pod
    entries = dict(pod.entries)
    for key in NAMING:
        entry = entries.get(key)
        if entry is None:
            continue
        if isinstance(entry.value, MapNode):
            entries[key] = replace(entry, value=_with_jtype(entry.value, known))
            continue
        name = text_of(entry.value)
        place = known(name) if name.isidentifier() else None
        if place is not None:
            entries[key] = replace(entry, value=ScalarNode(place, entry.value.span))
    return pod.with_entries(entries)


def _with_jtype(executor: MapNode, known: Callable[[str], str | None]) -> MapNode:
    metas = executor.get("metas")
    if "py_modules" in {*executor.entries, *(metas.entries if isinstance(metas, MapNode) else ())}:
        return executor
    entry = executor.entries.get("jtype")
    name = text_of(entry.value) if entry is not None else ""
    place = known(name) if name.isidentifier() else None
    if entry is None or place is None:
        return executor
    named = replace(entry, value=ScalarNode(place, entry.value.span))
    return executor.with_entries({**executor.entries, "jtype": named})


def _py_modules(node: Node, path: str) -> Iterator[Diagnostic]:
    if isinstance(node, MapNode):
        for key, entry in node.entries.items():
            if key == "py_modules":
                message = "'py_modules' is not allowed here"
                hint = "read it with allow_py_modules=True"
                yield Diagnostic(
                    code="JNA510", message=message, span=entry.span, hint=hint, path=path
                )
            yield from _py_modules(entry.value, f"{path}.{key}" if path else key)
    elif isinstance(node, ListNode):
        for at, item in enumerate(node.items):
            yield from _py_modules(item, f"{path}[{at}]")
