"""Jina 0.9 and Jina 3 YAML → one canonical form, spans kept.

Canonical is Jina 3's: `jtype: Flow`, `gateway:`, `executors:` as a list of Pods, Executors with
`jtype`, `with`, `metas`, `requests` by endpoint. Keys that mean the same under another name get
their name; nothing is judged here beyond that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from jina_cli.diagnostics import Diagnostic, Severity, Span
from jina_cli.spec.legacy import drivers_by_endpoint, modern_flow, modern_pod
from jina_cli.spec.models import TELEMETRY
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, text_of
from jina_cli.spec.old_executors import built_in_pod, modern_executor, modern_name
from jina_cli.spec.schemas import Rule, rules

_FLOWS = frozenset({"Flow", "AsyncFlow"})
_PODS = frozenset({"Deployment", "Pod"})
_POD_LISTS = ("executors", "deployments", "pods")


def kind_of(root: Node) -> str:
    """Return what a file describes: `flow`, `deployment`, `gateway`, `executor`, or nothing."""
    if not isinstance(root, MapNode):
        return ""
    jtype = text_of(root.get("jtype"))
    if jtype in _FLOWS:
        return "flow"
    if jtype in _PODS:
        return "deployment"
    if jtype == "Gateway":
        return "gateway"
    if jtype:
        return "executor"
    return "flow" if any(key in root.entries for key in _POD_LISTS) else ""


def canonical_flow(root: MapNode) -> tuple[MapNode, list[Diagnostic]]:
    """Return a Flow in canonical form. A Deployment becomes a Flow of one Pod."""
    problems: list[Diagnostic] = []
    if kind_of(root) == "deployment":
        root = _flow_of_one(root)
    is_legacy = "pods" in root.entries
    root = _renamed(root, rules()["flow"], problems)
    if is_legacy:
        root = modern_flow(root, problems)
    entries = dict(root.entries)
    for key, rule in (
        ("gateway", rules()["gateway"]),
        ("with", rules()["flow"].properties["with"]),
    ):
        held = root.get(key)
        if isinstance(held, MapNode):
            entries[key] = replace(entries[key], value=_renamed(held, rule, problems))
    pods = root.get("executors")
    if isinstance(pods, ListNode):
        items = [canonical_pod(item, is_legacy, problems) for item in pods.items]
        kept = tuple(item for item in items if not _is_gateway(item))
        entries["executors"] = replace(entries["executors"], value=replace(pods, items=kept))
    return root.with_entries(entries), problems


def canonical_pod(node: Node, is_legacy: bool, problems: list[Diagnostic]) -> Node:
    """Return an item of `executors` in canonical form; a path stays a path."""
    if not isinstance(node, MapNode):
        return node
    node = unwrapped(node)
    if is_legacy:
        node = modern_pod(node, problems)
    node = _renamed(node, rules()["pod"], problems)
    entries = dict(node.entries)
    for key in ("uses", "uses_before", "uses_after"):
        held = node.get(key)
        if isinstance(held, MapNode):
            entries[key] = replace(entries[key], value=canonical_executor(held, problems))
        elif isinstance(held, ScalarNode):
            used = built_in_pod(held)
            if used is None and "py_modules" not in entries:
                used = modern_name(held, problems)
            entries[key] = replace(entries[key], value=used or held)
    requests = node.get("uses_requests")
    if isinstance(requests, MapNode):
        requests = drivers_by_endpoint(requests, problems)
        entries["uses_requests"] = replace(entries["uses_requests"], value=requests)
    return node.with_entries(entries)


def canonical_executor(node: MapNode, problems: list[Diagnostic]) -> MapNode:
    """Return an Executor in canonical form: `requests: on:` lifted, Drivers as mappings.

    Executors and Drivers of Jina 0.9 get the names and options they have today.
    """
    entries = dict(node.entries)
    requests = node.get("requests")
    if isinstance(requests, MapNode):
        lifted = drivers_by_endpoint(requests, problems)
        entries["requests"] = replace(entries["requests"], value=lifted)
    components = node.get("components")
    if isinstance(components, ListNode):
        items = tuple(
            canonical_executor(item, problems) if isinstance(item, MapNode) else item
            for item in components.items
        )
        entries["components"] = replace(
            entries["components"], value=replace(components, items=items)
        )
    return modern_executor(node.with_entries(entries), problems)


def unwrapped(node: MapNode) -> MapNode:
    """Return `{jtype: Deployment, with: {...}}` as the Pod that it means."""
    inner = node.get("with")
    if text_of(node.get("jtype")) not in _PODS or not isinstance(inner, MapNode):
        return node
    outside = node.without("jtype", "with", "version")
    return node.with_entries({**inner.entries, **outside.entries})


def spread(flow: MapNode) -> MapNode:
    """Return a valid Flow with its `with` laid under the Gateway and the Pods it is for.

    What a Gateway or Pod says itself wins. `with` is gone afterwards.
    """
    held = flow.get("with")
    flow = flow.without("with")
    if not isinstance(held, MapNode):
        return flow
    known = rules()["flow"].properties["with"].properties
    entries = dict(flow.entries)
    for key, entry in _for("flow", held, known).items():
        entries.setdefault(key, entry)
    for_gateway = _for("gateway", held, known)
    if for_gateway:
        at = entries.get("gateway")
        own = at.value.entries if at and isinstance(at.value, MapNode) else {}
        merged = MapNode({**for_gateway, **own}, at.value.span if at else held.span)
        entries["gateway"] = Entry(at.span if at else held.span, merged)
    for_pods = _for("pods", held, known)
    pods = flow.get("executors")
    if for_pods and isinstance(pods, ListNode):
        items = tuple(_under(for_pods, pod) for pod in pods.items)
        entries["executors"] = replace(entries["executors"], value=replace(pods, items=items))
    return flow.with_entries(entries)


def _for(target: str, held: MapNode, known: Mapping[str, Rule]) -> dict[str, Entry]:
    return {
        key: entry
        for key, entry in held.entries.items()
        if key in known and target in known[key].applies_to and known[key].is_live
    }


def _under(defaults: Mapping[str, Entry], pod: Node) -> Node:
    return pod.with_entries({**defaults, **pod.entries}) if isinstance(pod, MapNode) else pod


def _flow_of_one(root: MapNode) -> MapNode:
    """Return a Deployment's file as a Flow: what clients see goes to its Gateway."""
    pod = unwrapped(root).without("jtype", "version")
    gateway_keys = rules()["gateway"].properties
    pod_keys = rules()["pod"].properties
    outside = {
        key: entry
        for key, entry in pod.entries.items()
        if key in gateway_keys and gateway_keys[key].is_live
        if not (key in pod_keys and pod_keys[key].is_live) or key in ("port", "host", "protocol")
    }
    if text_of(pod.get("external")) == "true":
        outside = {}
    inside = pod.without(*outside)
    # Who watches the Pod watches what clients talk to as well.
    outside |= {key: entry for key, entry in pod.entries.items() if key in TELEMETRY}
    at = root.entries["jtype"]
    entries = {
        "jtype": replace(at, value=ScalarNode("Flow", at.span, "Flow")),
        "executors": Entry(at.span, ListNode((inside,), root.span)),
    }
    if "version" in root.entries:
        entries["version"] = root.entries["version"]
    if outside:
        entries["gateway"] = Entry(at.span, MapNode(outside, root.span))
    return root.with_entries(entries)


def _renamed(node: MapNode, rule: Rule, problems: list[Diagnostic]) -> MapNode:
    """Return `node` with each alias under the name it stands for."""
    aliases = {k for k in node.entries if k in rule.properties and rule.properties[k].alias_of}
    if not aliases:
        return node
    entries: dict[str, Entry] = {}
    for key, entry in node.entries.items():
        name = rule.properties[key].alias_of if key in aliases else key
        problems += _alias_problems(key, name, entry.span, entries, rule)
        entries.setdefault(name, entry)
    return node.with_entries(entries)


def _alias_problems(
    key: str, name: str, span: Span, before: Mapping[str, Entry], rule: Rule
) -> Iterator[Diagnostic]:
    if name in before:
        message = f"{key!r} says again what line {before[name].span.line} says"
        hint = f"keep {name!r} alone"
        yield Diagnostic(code="JNA402", message=message, span=span, hint=hint, path=key)
    elif key != name and not rule.properties[key].is_synonym:
        message = f"{key!r} is an older spelling of {name!r}"
        yield Diagnostic(
            code="JNA113",
            message=message,
            span=span,
            hint=f"write {name!r}",
            path=key,
            severity=Severity.WARNING,
        )


def _is_gateway(item: Node) -> bool:
    # Jina's files may list the Gateway among the Pods; it is there anyway.
    return (
        isinstance(item, MapNode)
        and text_of(item.get("name")) == "gateway"
        and ("uses" not in item.entries)
    )
