"""Nodes × schema → diagnostics: every problem, each at its place, none twice.

What a value is meant to be is decided first, by its type; then it is held against that one
rule. So a message is never about an alternative that nobody meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jina_cli.diagnostics import Diagnostic, Severity, Span
from jina_cli.nearest import nearest as most_like
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode
from jina_cli.spec.schemas import Rule, rules

LENIENT_CODES = frozenset({"JNA101", "JNA106", "JNA107"})
"""Keys that Jina itself ignored; with `--lenient` they are warnings."""

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_YES = frozenset({"yes", "on", "y"})
_NO = frozenset({"no", "off", "n"})


def check(node: Node, kind: str, path: str = "", *, lenient: bool = False) -> list[Diagnostic]:
    """Return all problems of `node` as one of `schemas.KINDS`, in the order of the nodes.

    Args:
        path: The key where `node` stands, for messages.
        lenient: Whether unknown keys are warnings.
    """
    return list(_Walk(lenient).value(node, rules()[kind], path, kind))


def check_value(
    node: Node, rule: Rule, path: str, name: str, *, lenient: bool = False
) -> list[Diagnostic]:
    """Return all problems of `node` under one rule; `name` is what messages call its owner."""
    return list(_Walk(lenient).value(node, rule, path, name))


def type_of(node: Node) -> str:
    """Return the JSON type of a node."""
    if isinstance(node, MapNode):
        return "object"
    if isinstance(node, ListNode):
        return "array"
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    whole = isinstance(value, int) or value.is_integer()
    return "integer" if whole else "number"


def branch_of(node: Node, rule: Rule) -> Rule | None:
    """Return the rule that `node` is meant to follow, or None if its type fits none."""
    kind = type_of(node)
    branches: Sequence[Rule] = rule.any_of or (rule,)
    for branch in branches:
        if not branch.types or kind in branch.types:
            return branch
        if kind == "integer" and "number" in branch.types:
            return branch
        # A variable may have put a number where text is wanted; then its text is meant.
        if "string" in branch.types and isinstance(node, ScalarNode) and node.substituted:
            return branch
    return None


def shown(node: Node) -> str:
    """Return a value as messages call it: quoted and short, or what kind of thing it is."""
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    if node.value is None:
        return "nothing"
    text = node.text or str(node.value)
    text = text if len(text) <= 40 else f"{text[:37]}..."
    return repr(text) if isinstance(node.value, str) else text


_LIKENESS = 0.7


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the known word that `word` was most likely meant to be, or nothing."""
    return most_like(word, known, _LIKENESS)


class _Walk:
    def __init__(self, lenient: bool) -> None:
        self._lenient = lenient

    def value(self, node: Node, rule: Rule, path: str, name: str) -> Iterator[Diagnostic]:
        """Yield the problems of a value; `name` is what its key is called."""
        if isinstance(node, ScalarNode) and node.unknown:
            return
        branch = branch_of(node, rule)
        if branch is None:
            yield self._wrong_type(node, rule, path, name)
        elif isinstance(node, MapNode):
            yield from self._mapping(node, branch, path, name)
        elif isinstance(node, ListNode):
            yield from self._list(node, branch, path, name)
        else:
            yield from self._scalar(node, branch, path, name)

    def _mapping(self, node: MapNode, rule: Rule, path: str, name: str) -> Iterator[Diagnostic]:
        for key in rule.required:
            if key not in node.entries:
                message = f"{_owner(rule, name)} needs {key!r}"
                yield problem("JNA105", message, node.span, None, path)
        for key, entry in node.entries.items():
            inner = f"{path}.{key}" if path else key
            known = rule.properties.get(key)
            if known is not None:
                yield from self._known(key, entry, known, inner)
            elif key.startswith(rule.notes):
                continue
            elif rule.additional is not None:
                yield from self._free(key, entry, rule.additional, inner)
            elif rule.properties:
                yield self._unknown(key, entry.span, rule, inner, name)

    def _known(self, key: str, entry: Entry, rule: Rule, path: str) -> Iterator[Diagnostic]:
        if rule.renamed_to:
            what = rule.description.removeprefix("Older name; ").rstrip(".")
            message = f"{key!r} is now called {rule.renamed_to!r}"
            yield self._soften("JNA107", message, entry.span, what.replace("`", "'"), path)
        elif rule.refused:
            if rule.never or list(self.value(entry.value, rule, path, key)):
                message = f"{key!r} is not supported: {rule.refused}"
                yield problem("JNA108", message, entry.span, None, path)
        elif rule.ignored:
            if not _is_default(entry.value, rule):
                yield no_effect(key, entry.span, rule.ignored, path)
        else:
            yield from self.value(entry.value, rule, path, key)

    def _free(self, key: str, entry: Entry, rule: Rule, path: str) -> Iterator[Diagnostic]:
        if rule.types or rule.any_of:
            yield from self.value(entry.value, rule, path, key)
        else:
            yield from _traps(entry.value, path)

    def _list(self, node: ListNode, rule: Rule, path: str, name: str) -> Iterator[Diagnostic]:
        if len(node.items) < rule.min_items:
            message = f"{name!r} is an empty list"
            yield problem("JNA104", message, node.span, "remove the key", path)
        if rule.items is not None:
            for place, item in enumerate(node.items):
                yield from self.value(item, rule.items, f"{path}[{place}]", name)

    def _scalar(self, node: ScalarNode, rule: Rule, path: str, name: str) -> Iterator[Diagnostic]:
        value = node.value
        if rule.enum and value not in rule.enum:
            choices = _choices(rule)
            near = nearest(str(value), choices) or nearest(str(value).upper(), choices)
            message = f"{name!r} takes {_or(choices)}, not {shown(node)}"
            hint = f"did you mean {near!r}?" if near else None
            yield problem("JNA103", message, node.span, hint, path)
        elif isinstance(value, str):
            yield from _text_problems(node, value, rule, path, name)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if rule.minimum is not None and value < rule.minimum:
                message = f"{name!r} is {shown(node)}, and the least is {rule.minimum}"
                yield problem("JNA104", message, node.span, None, path)
            elif rule.maximum is not None and value > rule.maximum:
                message = f"{name!r} is {shown(node)}, and the most is {rule.maximum}"
                yield problem("JNA104", message, node.span, None, path)

    def _wrong_type(self, node: Node, rule: Rule, path: str, name: str) -> Diagnostic:
        types = rule.all_types()
        wanted = _or([word for kind, word in _WORDS.items() if kind in types and kind != "null"])
        if isinstance(node, ScalarNode) and node.value is None:
            message = f"{name!r} has no value, and takes {wanted}"
            return problem("JNA102", message, node.span, "remove the key, or give it one", path)
        message = f"{name!r} takes {wanted}, not {shown(node)}"
        return problem("JNA102", message, node.span, _type_hint(node, types), path)

    def _unknown(self, key: str, span: Span, rule: Rule, path: str, name: str) -> Diagnostic:
        message = f"{key!r} is not a key of {_owner(rule, name)}"
        elsewhere = _belongs(key, rule)
        if elsewhere:
            return self._soften("JNA106", message, span, f"this key belongs {elsewhere}", path)
        near = nearest(key, [k for k, r in rule.properties.items() if r.is_live])
        hint = f"did you mean {near!r}?" if near else None
        return self._soften("JNA101", message, span, hint, path)

    def _soften(
        self, code: str, message: str, span: Span, hint: str | None, path: str
    ) -> Diagnostic:
        severity = Severity.WARNING if self._lenient else Severity.ERROR
        return problem(code, message, span, hint, path, severity)


def no_effect(key: str, span: Span, reason: str, path: str) -> Diagnostic:
    """Return the warning that a key is accepted and does nothing."""
    message = f"{key!r} has no effect: {reason}"
    return problem("JNA109", message, span, None, path, Severity.WARNING)


def _text_problems(
    node: ScalarNode, value: str, rule: Rule, path: str, name: str
) -> Iterator[Diagnostic]:
    if len(value) < rule.min_length:
        yield problem("JNA104", f"{name!r} is empty", node.span, "remove the key", path)
    elif rule.pattern is not None and not rule.pattern.search(value):
        if name == "name":
            valid = "".join(c if c.isascii() and c.isalnum() else "_" for c in value)
            valid = f"_{valid}" if valid[:1].isdigit() else valid
            message = f"{shown(node)} cannot be the name of a Pod"
            hint = "use letters, digits and '_', no digit first"
            hint += f": {valid!r}" if valid else ""
            yield problem("JNA205", message, node.span, hint, path)
        else:
            message = f"{name!r} cannot be {shown(node)}"
            yield problem("JNA104", message, node.span, "use letters, digits and '_'", path)


def _traps(node: Node, path: str) -> Iterator[Diagnostic]:
    """Warn of values that mean something else than under YAML 1.1, where anything goes."""
    if isinstance(node, MapNode):
        for key, entry in node.entries.items():
            yield from _traps(entry.value, f"{path}.{key}")
    elif isinstance(node, ListNode):
        for place, item in enumerate(node.items):
            yield from _traps(item, f"{path}[{place}]")
    elif node.plain and not node.substituted:
        text = node.text.lower()
        if text in _YES | _NO:
            meant = "true" if text in _YES else "false"
            message = f"'{node.text}' is text in YAML 1.2, not {meant}"
            hint = f"write {meant}, or put it in quotes"
            yield problem("JNA114", message, node.span, hint, path, Severity.WARNING)
        elif isinstance(node.value, int) and len(text) > 1 and text.isdigit() and text[0] == "0":
            message = f"{node.text} is {node.value} in YAML 1.2, not octal"
            hint = f"write {node.value} or 0o{text.lstrip('0')}, or put it in quotes"
            yield problem("JNA114", message, node.span, hint, path, Severity.WARNING)


def _type_hint(node: Node, types: frozenset[str]) -> str | None:
    if not isinstance(node, ScalarNode):
        return None
    text = node.text.lower()
    if "boolean" in types and text in _YES | _NO:
        return f"YAML 1.2 has no {node.text!r}; write {'true' if text in _YES else 'false'}"
    if "string" in types:
        return f'put it in quotes: "{node.text}"'
    numeric = types & {"integer", "number"}
    if numeric and not node.plain and node.text.lstrip("+-").isdigit():
        return f"write {node.text} without quotes"
    if "boolean" in types and text in ("true", "false"):
        return f"write {text} without quotes"
    if "array" in types and "string" not in types:
        return "begin each item with '- '"
    return None


def _is_default(node: Node, rule: Rule) -> bool:
    return isinstance(node, ScalarNode) and node.value in (None, rule.default)


def _choices(rule: Rule) -> list[str]:
    """Return the values a rule allows, each in one spelling."""
    spellings: dict[str, str] = {}
    for choice in rule.enum:
        if choice is not None:
            spellings.setdefault(str(choice).lower(), str(choice))
    return list(spellings.values())


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _owner(rule: Rule, name: str) -> str:
    titles = {"Gateway": "the Gateway", "Executor": "an Executor"}
    return titles.get(rule.title, f"a {rule.title}") if rule.title else repr(name)


def _belongs(key: str, here: Rule) -> str:
    """Say where a key would be right; empty if it would be nowhere, or in several places."""
    all_rules = rules()
    flow, pod = all_rules["flow"], all_rules["pod"]
    places = (
        (all_rules["gateway"], "under 'gateway'"),
        (pod, "to a Pod, in an item of 'executors'"),
        (flow, "at the top level of the Flow"),
        (flow.properties["with"], "under 'with' at the top level of the Flow"),
        (all_rules["executor"], "to an Executor, under 'uses' or in a file of its own"),
    )
    found = [
        where
        for rule, where in places
        if rule is not here and key in rule.properties and rule.properties[key].is_live
    ]
    # What both a Gateway and a Pod know may be set for both at once.
    return found[0] if found else ""


def problem(
    code: str,
    message: str,
    span: Span,
    hint: str | None,
    path: str,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    """Return a diagnostic; this only saves its callers the names of the fields."""
    return Diagnostic(
        code=code, message=message, span=span, hint=hint, path=path, severity=severity
    )
