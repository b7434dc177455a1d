"""What is given to built-in Executors and Drivers under `with`, held against what they take.

The arguments of other classes are known only when they are loaded, in the Pod.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jina_cli.diagnostics import Diagnostic, Severity
from jina_cli.spec.nodes import ListNode, MapNode, Node, ScalarNode, text_of
from jina_cli.spec.schemas import Rule, rules
from jina_cli.spec.validate import check_value, nearest, problem

CONTEXT = ("metas", "requests", "runtime_args", "workspace", "dynamic_batching")
"""What every Executor is given, and may be given under `with` too."""

_OF_COMPOUND = ("routes", "resolve_all")
"""What an Executor with components takes."""


def check_flow_arguments(flow: MapNode, *, lenient: bool = False) -> list[Diagnostic]:
    """Return all that is wrong with arguments of Executors and Drivers in a canonical Flow."""
    return list(_of_flow(flow, lenient))


def check_executor_arguments(node: MapNode, *, lenient: bool = False) -> list[Diagnostic]:
    """Return all that is wrong with arguments in an Executor's mapping."""
    return [*_of_executor(node, "", lenient), *_of_drivers(node, "", lenient)]


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
            if isinstance(used, MapNode):
                yield from _of_drivers(used, f"{path}.{key}", lenient)
                if not own_classes:
                    yield from _of_executor(used, f"{path}.{key}", lenient)
        over = pod.get("uses_requests")
        yield from _of_requests(over, f"{path}.uses_requests", lenient, _has_parts(pod.get("uses")))
        name = _class_of(pod.get("uses")) if "uses" in pod.entries else "BaseExecutor"
        over = pod.get("uses_with")
        if name and isinstance(over, MapNode) and not own_classes:
            yield from _of_arguments(name, over, f"{path}.uses_with", lenient)


def _of_executor(node: MapNode, path: str, lenient: bool) -> Iterator[Diagnostic]:
    name, given = _class_of(node), node.get("with")
    prefix = f"{path}." if path else ""
    if name and isinstance(given, MapNode):
        yield from _of_arguments(name, given, f"{prefix}with", lenient)
    if _has_parts(node) and isinstance(given, MapNode):
        yield from _of_compound(given, f"{prefix}with", lenient)
    parts = node.get("components")
    for index, part in enumerate(parts.items if isinstance(parts, ListNode) else ()):
        if isinstance(part, MapNode):
            yield from _of_executor(part, f"{prefix}components[{index}]", lenient)


def _of_compound(given: MapNode, path: str, lenient: bool) -> Iterator[Diagnostic]:
    for key, entry in given.without(*CONTEXT, *_OF_COMPOUND).entries.items():
        severity = Severity.WARNING if lenient else Severity.ERROR
        message = f"{key!r} is not an argument of an Executor with components"
        hint = f"it takes {', '.join(_OF_COMPOUND)}"
        yield problem("JNA101", message, entry.span, hint, f"{path}.{key}", severity)


def _of_drivers(node: MapNode, path: str, lenient: bool) -> Iterator[Diagnostic]:
    """Yield what is wrong with the Drivers of an Executor and of its components."""
    prefix = f"{path}." if path else ""
    yield from _of_requests(node.get("requests"), f"{prefix}requests", lenient, _has_parts(node))
    parts = node.get("components")
    for index, part in enumerate(parts.items if isinstance(parts, ListNode) else ()):
        if isinstance(part, MapNode):
            yield from _of_drivers(part, f"{prefix}components[{index}]", lenient)


def _of_requests(
    requests: Node | None, path: str, lenient: bool, has_parts: bool
) -> Iterator[Diagnostic]:
    known = rules()["driver"].properties["driver"].builtin
    for item in _drivers_in(requests):
        at, given = item.entries["driver"], item.get("with")
        name = text_of(at.value)
        if name not in known:
            near = nearest(name, list(known))
            hint = f"did you mean {near!r}?" if near else "'jina explain driver' lists them"
            yield problem("JNA504", f"there is no Driver {name!r}", at.span, hint, path)
            continue
        rule = known[name].arguments
        if rule is None or not isinstance(given, MapNode):
            continue
        for each in check_value(given, rule, f"{path}.with", name, lenient=lenient):
            yield _said_of_arguments(each, name, rule)
        component = given.entries.get("executor") if "executor" in rule.properties else None
        if component is not None and text_of(component.value) and not has_parts:
            message = f"{name} is for {text_of(component.value)!r}, and there are no components"
            hint = "leave 'executor' out, or list 'components'"
            yield problem("JNA110", message, component.span, hint, f"{path}.with.executor")


def _drivers_in(requests: Node | None) -> Iterator[MapNode]:
    """Yield the Drivers that name one, of all endpoints."""
    if not isinstance(requests, MapNode):
        return
    for entry in requests.entries.values():
        for item in entry.value.items if isinstance(entry.value, ListNode) else ():
            named = item.get("driver") if isinstance(item, MapNode) else None
            is_known = isinstance(named, ScalarNode) and not named.unknown
            if isinstance(item, MapNode) and is_known and text_of(named):
                yield item


def _has_parts(node: Node | None) -> bool:
    parts = node.get("components") if isinstance(node, MapNode) else None
    return isinstance(parts, ListNode) and bool(parts.items)


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
    if found.code == "JNA104" and "traversal_paths" in found.path:
        return replace(found, hint="it is made of r, c and m, as in '@r', '@c,m' and '@cm[:3]'")
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
