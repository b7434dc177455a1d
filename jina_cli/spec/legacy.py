"""Jina 0.9's YAML → Jina 3's words. Only `dialect` calls this.

In 0.9 Pods are under `pods:`, as a list or by name; `parallel` is one number for what are now
`replicas` and `shards`; requests have types instead of endpoints, and Drivers are tags.
"""

from __future__ import annotations

from dataclasses import replace

from jina_cli.diagnostics import Diagnostic, Severity
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, text_of
from jina_cli.spec.old_drivers import modern_driver

ENDPOINTS = {
    "IndexRequest": "/index",
    "SearchRequest": "/search",
    "TrainRequest": "/train",
    "UpdateRequest": "/update",
    "DeleteRequest": "/delete",
    "EvalRequest": "/eval",
}
"""Type of request in 0.9 → endpoint."""

_GONE_WORDS = """
args compress compress_hwm compress_lwm compress_min_bytes compress_min_ratio ctrl_with_ipc daemon
dump_interval expose_public hide_exc_info host_in host_out identity image log_sse logserver
max_message_size memory_hwm num_part on_error_strategy optimize_level parallel_type pea_id pea_role
pod_role port_ctrl port_in port_out prefetch_on_recv pull_latest read_only remove_uses_ba runtime
runtime_backend runtime_cls scheduling separated_workspace show_exc_info silent_remote_logs
socket_in socket_out sse_logger ssh_keyfile ssh_password ssh_server timeout_ctrl upload_files
uses_internal
"""
_GONE = frozenset(_GONE_WORDS.split())
"""Keys about ZeroMQ, threads and remote hosts of 0.9, for which there is nothing to set now."""


def modern_flow(flow: MapNode, problems: list[Diagnostic]) -> MapNode:
    """Return a Flow of 0.9 with its Pods as a list and its settings under today's names."""
    entries = dict(flow.entries)
    pods = flow.get("executors")
    if isinstance(pods, MapNode):
        items = tuple(_named(name, entry) for name, entry in pods.entries.items())
        entries["executors"] = replace(entries["executors"], value=ListNode(items, pods.span))
    held = flow.get("with")
    if isinstance(held, MapNode):
        entries["with"] = replace(entries["with"], value=_modern_with(held, problems))
    return flow.with_entries(entries)


def modern_pod(pod: MapNode, problems: list[Diagnostic]) -> MapNode:
    """Return a Pod of 0.9 under today's names.

    `parallel` means shards where all of them are asked (`polling: all`), else replicas.
    """
    pod = _without_gone(pod, problems)
    parallel = "parallel" if "parallel" in pod.entries else "shards"
    if parallel not in pod.entries:
        return pod
    name = "shards" if text_of(pod.get("polling")).upper().startswith("ALL") else "replicas"
    entries = {name if key == parallel else key: entry for key, entry in pod.entries.items()}
    return pod.with_entries(entries)


def drivers_by_endpoint(requests: MapNode, problems: list[Diagnostic]) -> MapNode:
    """Return `requests` by endpoint: `on:` is lifted, types of request become endpoints.

    Lists of Drivers for one endpoint under several keys follow each other.
    """
    on = requests.get("on")
    is_legacy = isinstance(on, MapNode) or not ENDPOINTS.keys().isdisjoint(requests.entries)
    if isinstance(on, MapNode):
        rest = requests.without("on", "use_default").entries
        requests = requests.with_entries({**rest, **on.entries})
    entries: dict[str, Entry] = {}
    for key, entry in requests.entries.items():
        name = ENDPOINTS.get(key, key)
        if name == "ControlRequest":
            continue
        value = _drivers(entry.value, name, is_legacy, problems)
        before = entries.get(name)
        if before and isinstance(before.value, ListNode) and isinstance(value, ListNode):
            value = replace(value, items=before.value.items + value.items)
        entries[name] = replace(entry, value=value)
    return requests.with_entries(entries)


def _drivers(node: Node, endpoint: str, is_legacy: bool, problems: list[Diagnostic]) -> Node:
    if not isinstance(node, ListNode):
        return node
    items: list[Node | None] = [
        modern_driver(driver, endpoint, is_legacy, problems)
        if isinstance(driver, MapNode)
        else driver
        for driver in map(_driver, node.items)
    ]
    return replace(node, items=tuple(item for item in items if item is not None))


def _driver(item: Node) -> Node:
    if isinstance(item, ScalarNode) and isinstance(item.value, str):
        return MapNode({"driver": Entry(item.span, item)}, item.span)
    if not isinstance(item, MapNode) or "jtype" not in item.entries:
        return item
    entries = {("driver" if key == "jtype" else key): e for key, e in item.entries.items()}
    return item.with_entries(entries)


def _named(name: str, entry: Entry) -> Node:
    """Return one of `pods: {name: …}` as an item with a name; nothing means all defaults."""
    label = Entry(entry.span, ScalarNode(name, entry.span, name))
    if isinstance(entry.value, MapNode):
        return entry.value.with_entries({"name": label, **entry.value.entries})
    if isinstance(entry.value, ScalarNode) and entry.value.value is None:
        return MapNode({"name": label}, entry.span)
    return entry.value


def _modern_with(held: MapNode, problems: list[Diagnostic]) -> MapNode:
    entries = dict(_without_gone(held, problems).entries)
    for key in ("restful", "rest_api"):
        entry = entries.pop(key, None)
        if entry is not None and text_of(entry.value) == "true":
            entries["protocol"] = replace(entry, value=ScalarNode("http", entry.span, "http"))
    return held.with_entries(entries)


def _without_gone(node: MapNode, problems: list[Diagnostic]) -> MapNode:
    gone = [key for key in node.entries if key in _GONE]
    for key in gone:
        problems.append(
            Diagnostic(
                code="JNA109",
                message=f"{key!r} has no effect: it is about how Jina 0.9 ran",
                span=node.entries[key].span,
                path=key,
                severity=Severity.WARNING,
            )
        )
    return node.without(*gone) if gone else node
