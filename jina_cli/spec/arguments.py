"""What is given to built-in Executors under `with`, held against what they take.

The arguments of other classes are known only when they are loaded, in the Pod.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jina_cli.diagnostics import Diagnostic, Severity
from jina_cli.spec.nodes import ListNode, MapNode, Node, text_of
from jina_cli.spec.schemas import Rule, rules
from jina_cli.spec.validate import check_value, problem

CONTEXT = ("metas", "requests", "runtime_args", "workspace", "dynamic_batching")
"""What every Executor is given, and may be given under `with` too."""


def check_flow_arguments(flow: MapNode, *, lenient: bool = False) -> list[Diagnostic]:
    """Return all that is wrong with arguments of built-in Executors in a canonical Flow."""
    return list(_of_flow(flow, lenient))


def check_executor_arguments(node: MapNode, *, lenient: bool = False) -> list[Diagnostic]:
    """Return all that is wrong with arguments of built-in Executors in an Executor's mapping."""
    return list(_of_executor(node, "", lenient))


def _of_flow(flow: MapNode, lenient: bool) -> Iterator[Diagnostic]:
    pods = flow.get("executors")
    for index, pod in enumerate(pods.items if isinstance(pods, ListNode) else ()):
        if not isinstance(pod, MapNode):
            continue
        path = f"executors[{index}]"
        # A module of the Pod's own may define a class of a built-in name.
        own_classes = "py_modules" in pod.entries
        for key in ("uses", "uses_before", "uses_after"):
            used = pod.get(key)
            if isinstance(used, MapNode) and not own_classes:
                yield from _of_executor(used, f"{path}.{key}", lenient)
        name = _class_of(pod.get("uses")) if "uses" in pod.entries else "BaseExecutor"
        over = pod.get("uses_with")
        if name and isinstance(over, MapNode) and not own_classes:
            yield from _of_arguments(name, over, f"{path}.uses_with", lenient)


def _of_executor(node: MapNode, path: str, lenient: bool) -> Iterator[Diagnostic]:
    name, given = _class_of(node), node.get("with")
    prefix = f"{path}." if path else ""
    if name and isinstance(given, MapNode):
        yield from _of_arguments(name, given, f"{prefix}with", lenient)
    parts = node.get("components")
    for index, part in enumerate(parts.items if isinstance(parts, ListNode) else ()):
        if isinstance(part, MapNode):
            yield from _of_executor(part, f"{prefix}components[{index}]", lenient)


def _class_of(node: Node | None) -> str:
    """Return the name of the class that `uses` names; empty if it may be somebody else's."""
    if not isinstance(node, MapNode):
        return text_of(node)
    metas = node.get("metas")
    inside = metas.entries if isinstance(metas, MapNode) else {}
    if "py_modules" in node.entries or "py_modules" in inside or "components" in node.entries:
        return ""
    return text_of(node.get("jtype"))


def _of_arguments(name: str, given: MapNode, path: str, lenient: bool) -> Iterator[Diagnostic]:
    known = rules()["executor"].properties["jtype"].builtin.get(name)
    if known is None or known.arguments is None:
        return
    own = given.without(*CONTEXT)
    if not known.arguments.properties:
        severity = Severity.WARNING if lenient else Severity.ERROR
        for key, entry in own.entries.items():
            message, hint = f"{key!r} is not an argument of {name}", "it takes none"
            yield problem("JNA101", message, entry.span, hint, f"{path}.{key}", severity)
        return
    for each in check_value(own, known.arguments, path, name, lenient=lenient):
        yield _said_of_arguments(each, name, known.arguments)


def _said_of_arguments(found: Diagnostic, name: str, rule: Rule) -> Diagnostic:
    """Return a problem of a key in the words for arguments."""
    if found.code not in ("JNA101", "JNA106"):
        return found
    hint = found.hint if found.code == "JNA101" else None
    key = found.path.rpartition(".")[2]
    return replace(
        found,
        code="JNA101",
        message=f"{key!r} is not an argument of {name}",
        hint=hint or f"it takes {', '.join(rule.properties)}",
    )
