"""Variables in a YAML file → the values they stand for, place and type kept.

| written | means |
| --- | --- |
| `$X`, `${X}`, `${{ ENV.X }}`, `${{ env.X }}` | the environment variable X |
| `${{ CONTEXT.x }}`, `${{ context.x }}` | a value that the caller gave |
| `${{ x }}` | the caller's value x, or else the environment variable |
| `${{ root.executors[0].name }}` | another value of the same file |
| `${{ this.name }}` | a value of the mapping it stands in |
| `${{ env.X \\| text }}` | the variable, or `text` where it is not set |
| `$$` | a dollar sign |

What is put in is never read as YAML again: a value cannot add keys. Where it makes up a whole
scalar, it gets the type it looks like, as in Jina: `8080` is a number, `true` a boolean,
`[a, b]` a list, and nothing at all is null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.nearest import nearest
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, Scalar, ScalarNode, from_data

_TOKEN = re.compile(
    r"(?P<dollar>\$\$)"
    r"|\$\{\{(?P<expression>(?:(?!\}\}).)*)\}\}"
    r"|\$\{(?P<braced>[A-Za-z_]\w*)\}"
    r"|\$(?P<bare>[A-Za-z_]\w*)"
    r"|(?P<broken>\$\{[^}]*\}?)"
)
_EXPRESSION = re.compile(
    r"(?P<head>[A-Za-z_]\w*)(?P<rest>(?:\.\w[\w-]*|\[\d+\])*)(?:\s*\|\s*(?P<default>.*))?"
)
_STEP = re.compile(r"\.(\w[\w-]*)|\[(\d+)\]")
_QUOTED = re.compile(r"""(['"])(.*)\1""", re.DOTALL)
_INT = re.compile(r"[-+]?\d{1,300}")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+\.?\d*)([eE][-+]?\d+)?")


MAX_REPLACED = 100_000
"""Values with variables that are worked out for one file, those they refer to included."""

MAX_TEXT = 2**20
"""Length of one value after substitution."""


class _Unset(Exception):
    """A variable stands for nothing; carries the diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


def substitute(
    root: Node, *, env: Mapping[str, str], context: Mapping[str, Any] | None = None
) -> tuple[Node, list[Diagnostic]]:
    """Return `root` with all variables replaced, and a diagnostic for each that cannot be.

    What cannot be replaced is left as written, and marked `unknown`.
    """
    work = _Substitution(root, env, context or {})
    return work.node(root, root), work.problems


def retyped(text: str) -> Scalar | list[Any]:
    """Return `text` as the type it looks like, by Jina's rules.

    Other than there, `nan` and `inf` stay text: they cannot travel as JSON.
    """
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted.group(2)
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1].strip()
        return [retyped(part.strip()) for part in inner.split(",")] if inner else []
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text or None


class _Substitution:
    def __init__(self, root: Node, env: Mapping[str, str], context: Mapping[str, Any]) -> None:
        self._root = root
        self._env = env
        self._context = context
        self._open: list[int] = []  # scalars that are being replaced, by identity
        self._count = 0
        self.problems: list[Diagnostic] = []

    def node(self, node: Node, around: Node) -> Node:
        """Return `node` with its variables replaced; `around` is what `this` means in it."""
        match node:
            case MapNode():
                entries = {
                    key: Entry(entry.span, self.node(entry.value, node))
                    for key, entry in node.entries.items()
                }
                return node.with_entries(entries)
            case ListNode():
                return replace(node, items=tuple(self.node(item, around) for item in node.items))
            case ScalarNode() if isinstance(node.value, str) and "$" in node.value:
                try:
                    return self._scalar(node, around)
                except _Unset as unset:
                    if unset.diagnostic not in self.problems:
                        self.problems.append(unset.diagnostic)
                    return replace(node, unknown=True)
        return node

    def _scalar(self, node: ScalarNode, around: Node) -> Node:
        if id(node) in self._open:
            raise self._failure("JNA305", "this value is made of itself", node.span)
        self._count += 1
        if self._count > MAX_REPLACED:
            raise self._failure(
                "JNA404", f"more than {MAX_REPLACED} values refer to others", node.span
            )
        self._open.append(id(node))
        try:
            return self._replaced(node, str(node.value), around)
        finally:
            self._open.pop()

    def _replaced(self, node: ScalarNode, text: str, around: Node) -> Node:
        whole = _TOKEN.fullmatch(text)
        if whole and not whole["dollar"]:
            found = self._token(whole, node.span, around)
            return self._placed(found, node.span)
        put_in = False

        def as_text(token: re.Match[str]) -> str:
            nonlocal put_in
            if token["dollar"]:
                return "$"
            put_in = True
            return self._text(self._token(token, node.span, around), node.span)

        made = _TOKEN.sub(as_text, text)
        if len(made) > MAX_TEXT:
            raise self._failure("JNA404", f"this value grows over {MAX_TEXT} characters", node.span)
        if put_in:
            return self._placed(made, node.span)
        return replace(node, value=made, text=made)

    def _placed(self, found: Node | str, span: Span) -> Node:
        if not isinstance(found, str):
            return replace(found, span=span)
        value = retyped(found)
        if isinstance(value, list):
            return from_data(value, span)
        quoted = _QUOTED.fullmatch(found)
        text = quoted.group(2) if quoted else found
        return ScalarNode(value, span, text, plain=False, substituted=quoted is None)

    def _text(self, found: Node | str, span: Span) -> str:
        if isinstance(found, str):
            return found
        if isinstance(found, ScalarNode):
            return found.text if found.value is not None else ""
        raise self._failure("JNA304", "a list or mapping cannot be part of a text", span)

    def _token(self, token: re.Match[str], span: Span, around: Node) -> Node | str:
        variable = token["braced"] or token["bare"]
        if variable:
            return self._environment(variable, None, span)
        if token["broken"]:
            raise self._failure("JNA304", f"{token['broken']!r} is no variable", span)
        expression = token["expression"].strip()
        parts = _EXPRESSION.fullmatch(expression)
        if parts is None:
            raise self._failure("JNA304", f"'${{{{ {expression} }}}}' cannot be understood", span)
        return self._expression(parts, span, around)

    def _expression(self, parts: re.Match[str], span: Span, around: Node) -> Node | str:
        head, rest, default = parts["head"], parts["rest"], parts["default"]
        if head in ("ENV", "env") and rest.startswith("."):
            return self._environment(rest[1:], default, span)
        if head in ("root", "this") and rest:
            start = self._root if head == "root" else around
            return self._reference(f"{head}{rest}", start, rest, default, span)
        is_dotted = head in ("CONTEXT", "context") and rest.startswith(".")
        name = rest[1:] if is_dotted else head + rest
        return self._given(name, default, span, or_env=not rest)

    def _environment(self, name: str, default: str | None, span: Span) -> str:
        if name in self._env:
            return self._env[name]
        if default is not None:
            return default
        near = nearest(name, self._env, 0.75)
        hint = (
            f"did you mean {near!r}, which is set?"
            if near
            else f"export {name}=… first, or give a default: ${{{{ env.{name} | value }}}}"
        )
        raise self._failure("JNA301", f"the variable {name!r} is not set", span, hint)

    def _given(self, name: str, default: str | None, span: Span, *, or_env: bool) -> Node | str:
        found: Any = self._context
        for step in _STEP.finditer(f".{name}"):
            found = _step_into_data(found, step)
        if found is not _NOTHING:
            return found if isinstance(found, str) else from_data(found, span)
        if or_env and name in self._env:
            return self._env[name]
        if default is not None:
            return default
        hint = f"give it with the Flow, or write ${{{{ env.{name} }}}} for a variable"
        raise self._failure("JNA302", f"no value {name!r} was given", span, hint)

    def _reference(
        self, shown: str, start: Node, rest: str, default: str | None, span: Span
    ) -> Node | str:
        node: Node | None = start
        around = start
        for step in _STEP.finditer(rest):
            around = node if isinstance(node, MapNode) else around
            node = _step_into(node, step)
        if node is None:
            if default is not None:
                return default
            raise self._failure("JNA303", f"{shown!r} leads to nothing", span)
        if not isinstance(node, ScalarNode):
            raise self._failure("JNA303", f"{shown!r} is no single value", span)
        if isinstance(node.value, str) and "$" in node.value:
            return self._scalar(node, around)
        return node

    def _failure(self, code: str, message: str, span: Span, hint: str | None = None) -> _Unset:
        return _Unset(Diagnostic(code=code, message=message, span=span, hint=hint))


_NOTHING: Any = object()


def _step_into_data(found: Any, step: re.Match[str]) -> Any:
    if step[1] and isinstance(found, Mapping):
        return found.get(step[1], _NOTHING)
    if step[2] and isinstance(found, list | tuple) and int(step[2]) < len(found):
        return found[int(step[2])]
    return _NOTHING


def _step_into(node: Node | None, step: re.Match[str]) -> Node | None:
    if step[1] and isinstance(node, MapNode):
        return node.get(step[1])
    if step[2] and isinstance(node, ListNode) and int(step[2]) < len(node.items):
        return node.items[int(step[2])]
    return None
