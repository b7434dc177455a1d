"""Which Pods run in the process of the Pod before them. Pure.

A Pod asks for it with `runtime: inprocess`, or the Flow does for all that can with `colocate`.
It saves a hop, and must change nothing else: what would, stands in its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jina_cli.spec.models import GATEWAY, TELEMETRY, FlowSpec, PodSpec
from jina_cli.vocabulary import Runtime

SHARED = (
    "replicas",
    "env",
    "timeout_send",
    "timeout_ready",
    "retries",
    "idempotent",
    "restart",
    "max_restarts",
    "stop_timeout",
    "max_queue",
    "install_requirements",
    *TELEMETRY,
)
"""Keys that are settings of a process, or of the way to it: Pods of one process have them alike."""


def hosts_of(flow: FlowSpec) -> dict[str, str]:
    """Return, for each Pod that runs in the process of another, the Pod whose process it is."""
    hosts: dict[str, str] = {}
    pods = {pod.name: pod for pod in flow.executors}
    for pod in _in_order(flow.executors):
        wanted = pod.runtime is Runtime.INPROCESS or (flow.colocate and pod.runtime is None)
        if wanted and not obstacle(pod, pods):
            hosts[pod.name] = hosts.get(pod.needs[0], pod.needs[0])
    return hosts


def obstacle(pod: PodSpec, pods: Mapping[str, PodSpec]) -> str:
    """Return what stands in the way of `pod` running in the process of the one before it.

    One clause; empty where nothing does.

    Args:
        pods: Of the whole Flow, by name.
    """
    return next(_obstacles(pod, pods), "")


def _obstacles(pod: PodSpec, pods: Mapping[str, PodSpec]) -> Iterator[str]:
    if pod.external:
        yield "somebody else runs it"
    if len(pod.needs) > 1:
        yield f"it joins {_and(pod.needs)}"
        return
    before = pods.get(pod.needs[0]) if pod.needs else None
    if before is None or before.name == GATEWAY:
        yield "no Pod is before it"
        return
    if before.external:
        yield f"somebody else runs {before.name!r}"
    others = [p.name for p in pods.values() if before.name in p.needs and p is not pod]
    if others:
        yield f"{_and(others)} {'needs' if len(others) == 1 else 'need'} {before.name!r} too"
    for each in (pod, before):
        if has_head(each):
            yield f"{each.name!r} has {'shards' if each.shards > 1 else 'an Executor around it'}"
    if pod.floating is not before.floating:
        floats = pod if pod.floating else before
        yield f"nobody waits for {floats.name!r}"
    if pod.port_monitoring:
        yield "it has a 'port_monitoring' of its own"
    for key in SHARED:
        if getattr(pod, key) != getattr(before, key):
            yield f"its {key!r} is not that of {before.name!r}"


def has_head(pod: PodSpec) -> bool:
    """Return whether a process stands before those of a Pod that run its Executor."""
    around = pod.uses_before is not None or pod.uses_after is not None
    return not pod.external and (pod.shards > 1 or around)


def _in_order(pods: Sequence[PodSpec]) -> Iterator[PodSpec]:
    """Yield Pods after the one they need; those in a circle, or that need no Pod there is, last."""
    waiting, done = list(pods), {GATEWAY}
    while waiting:
        ready = [pod for pod in waiting if done.issuperset(pod.needs)] or waiting
        yield from ready
        done.update(pod.name for pod in ready)
        waiting = [pod for pod in waiting if pod.name not in done]


def _and(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
