"""Where processes say how they do: ports for Prometheus, collectors of spans and measurements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.spec.fusing import has_head
from jina_cli.spec.models import FlowSpec, GatewaySpec, PodSpec
from jina_cli.spec.validate import no_effect, problem

MAX_PORT = 65535

_DEPEND: Sequence[tuple[str, tuple[str, ...]]] = (
    ("monitoring", ("port_monitoring",)),
    ("tracing", ("traces_exporter_host", "traces_exporter_port")),
    ("metrics", ("metrics_exporter_host", "metrics_exporter_port")),
)
"""A switch, and the keys that mean nothing while it is off."""


class BadPorts(ValueError):
    """`port_monitoring` does not fit the processes of its Pod."""


def processes_of(pod: PodSpec) -> int:
    """Return how many processes of this machine run a Pod, its head counted."""
    return 0 if pod.external else has_head(pod) + pod.shards * pod.replicas


def ports_of(pod: PodSpec) -> tuple[int, ...]:
    """Return where each process of a Pod serves its metrics, its head first; 0 is nowhere.

    Raises:
        BadPorts: With the reason.
    """
    count, given = processes_of(pod), pod.port_monitoring
    if not pod.monitoring or not any(given):
        return (0,) * count
    if len(given) == 1:
        given = tuple(range(given[0], given[0] + count))
    if len(given) != count:
        raise BadPorts(f"{pod.name!r} has {count} processes, and {len(given)} ports to watch them")
    if max(given, default=0) > MAX_PORT:
        raise BadPorts(f"{pod.name!r} has {count} processes, and ports end at {MAX_PORT}")
    return given


def collector(is_on: bool, host: str, port: int) -> str:
    """Return `host:port` of a collector; empty where nothing is sent."""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if is_on else ""


def check_watching(flow: FlowSpec) -> Iterator[Diagnostic]:
    """Yield keys that mean nothing as they stand, and ports that do not fit."""
    told: set[Span] = set()  # what stands under `with` is said of all Pods, and told once
    gateway = ("/gateway", "gateway", flow.gateway)
    owners: list[tuple[str, str, GatewaySpec | PodSpec]] = [gateway, *_pods(flow)]
    for pointer, path, owner in owners:
        default = GatewaySpec() if isinstance(owner, GatewaySpec) else PodSpec(name="")
        for switch, keys in _DEPEND:
            for key in keys if not getattr(owner, switch) else ():
                span = flow.spans.get(f"{pointer}/{key}")
                given = getattr(owner, key) != getattr(default, key)
                if span is not None and given and span not in told:
                    told.add(span)
                    yield no_effect(key, span, f"{switch!r} is off", f"{path}.{key}")
    for pointer, path, pod in _pods(flow):
        try:
            ports_of(pod)
        except BadPorts as error:
            span = flow.span_of(f"{pointer}/port_monitoring")
            hint = "give the first of a row, or one for each"
            yield problem("JNA110", str(error), span, hint, f"{path}.port_monitoring")


def watched_ports(flow: FlowSpec) -> Iterator[tuple[int, str, str]]:
    """Yield each port that is watched at, whose it is, and the pointer to where that is said."""
    gateway: GatewaySpec = flow.gateway
    if gateway.monitoring and gateway.port_monitoring:
        yield gateway.port_monitoring, "metrics of the Gateway", "/gateway/port_monitoring"
    for pointer, _, pod in _pods(flow):
        try:
            ports = ports_of(pod)
        except BadPorts:
            continue
        for port in ports:
            if port:
                yield port, f"metrics of {pod.name!r}", f"{pointer}/port_monitoring"


def _pods(flow: FlowSpec) -> Iterator[tuple[str, str, PodSpec]]:
    for index, pod in enumerate(flow.executors):
        yield f"/executors/{index}", f"executors[{index}]", pod
