"""What can be wrong with a Flow whose every key is right: each check looks at one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jina_cli.diagnostics import Diagnostic, Severity, Span
from jina_cli.spec.external import check_places, is_own
from jina_cli.spec.fusing import obstacle
from jina_cli.spec.models import GATEWAY, FlowSpec, PodSpec
from jina_cli.spec.nodes import escape
from jina_cli.spec.topology import Flaw, Placed, Step, Trouble, flaws
from jina_cli.spec.validate import nearest, no_effect, problem
from jina_cli.spec.watching import check_watching, watched_ports
from jina_cli.vocabulary import Partial, Protocol, Runtime

_OPERATORS = frozenset(
    "$eq $neq $gt $gte $lt $lte $in $nin $regex $size $exists $and $or $not".split()  # noqa: SIM905
)
MAX_LISTED = 16
"""Names that a hint offers."""

_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]*://[^/\s]+", re.IGNORECASE)


def check_flow(
    flow: FlowSpec, steps: Sequence[Step], placed: Sequence[Placed]
) -> Iterator[Diagnostic]:
    """Yield all that is wrong with a Flow as a whole."""
    for flaw in flaws(steps, placed):
        yield _topology_problem(flaw, flow)
    yield from _listeners(flow)
    yield from _port_clashes(flow)
    yield from _tls(flow)
    yield from _origins(flow)
    yield from check_watching(flow)
    for index, pod in enumerate(flow.executors):
        yield from check_places(flow, pod, index)
        yield from _operators(flow, pod, index)
        yield from _shards_and_processes(flow, pod, index)
    if not flow.executors:
        span = flow.span_of("/executors")
        message = "this Flow has no Pods: it answers what it is sent"
        hint = "add one under 'executors'"
        yield problem("JNA110", message, span, hint, "executors", Severity.WARNING)


def _topology_problem(flaw: Flaw, flow: FlowSpec) -> Diagnostic:
    pod = flow.executors[flaw.index]
    key = "name" if flaw.trouble in (Trouble.DUPLICATE, Trouble.RESERVED) else "needs"
    pointer = f"/executors/{flaw.index}/{key}"
    span = flow.span_of(pointer if flaw.need is None else f"{pointer}/{flaw.need}")
    name = flaw.names[0] if flaw.names else ""
    message, hint = _topology_words(flaw, pod.name, name, flow)
    path = f"executors[{flaw.index}].{key}"
    return problem(flaw.trouble.value, message, span, hint, path)


def _topology_words(flaw: Flaw, pod: str, name: str, flow: FlowSpec) -> tuple[str, str | None]:
    match flaw.trouble:
        case Trouble.UNKNOWN:
            names = [GATEWAY, *(each.name for each in flow.executors if each.name != pod)]
            near = nearest(name, names)
            hint = f"did you mean {near!r}?" if near else f"there are {_listed(names)}"
            return f"{pod!r} needs {name!r}, which is no Pod of this Flow", hint
        case Trouble.ITSELF:
            return f"{pod!r} needs itself", "leave 'needs' out to wait for the Pod before it"
        case Trouble.CYCLE:
            way = " -> ".join(flaw.names)
            return f"these Pods wait for each other: {way}", f"let one of them need {GATEWAY!r}"
        case Trouble.DUPLICATE:
            first = next(i for i, each in enumerate(flow.executors) if each.name == name)
            line = flow.span_of(f"/executors/{first}/name").line
            return f"two Pods are called {name!r}", f"the other is at line {line}"
        case Trouble.RESERVED:
            return f"a Pod cannot be called {name!r}", "'gateway:' at the top level sets it up"
        case Trouble.FLOATING:
            hint = f"let {pod!r} float too, or {name!r} not"
            return f"{pod!r} needs {name!r}, which floats: nobody waits for it", hint
        case Trouble.TOO_FEW:
            hint = "name them in 'needs', or leave 'method' out"
            return f"{pod!r} joins Pods, and needs at least two", hint


def _listeners(flow: FlowSpec) -> Iterator[Diagnostic]:
    protocols, ports = len(flow.gateway.protocol), len(flow.gateway.port)
    if protocols != ports:
        message = f"the Gateway has {_many(protocols, 'protocol')} and {_many(ports, 'port')}"
        hint = "give each protocol its port; 0 takes any that is free"
        yield problem("JNA208", message, flow.span_of("/gateway/port"), hint, "gateway.port")


def _port_clashes(flow: FlowSpec) -> Iterator[Diagnostic]:
    owners: dict[int, str] = {}
    for index, port in enumerate(flow.gateway.port):
        who = flow.gateway.protocol[index].value if index < len(flow.gateway.protocol) else ""
        if port and port in owners:
            span = _item_span(flow, "/gateway/port", index)
            message = f"port {port} is taken twice: for {owners[port]} and {who or 'another'}"
            hint = "give each protocol a port of its own"
            yield problem("JNA209", message, span, hint, "gateway.port")
        owners[port] = who
    for place, pod in enumerate(flow.executors):
        for index, port in enumerate(pod.port):
            local = pod.external and any(_is_here(host) for host in pod.host)
            if port and port in owners and (local or not pod.external):
                span = _item_span(flow, f"/executors/{place}/port", index)
                message = f"port {port} of {pod.name!r} is the Gateway's own"
                path = f"executors[{place}].port"
                yield problem("JNA209", message, span, "take another port", path)
    for port, who, pointer in watched_ports(flow):
        if port in owners:
            message = f"port {port} is taken twice: for {owners[port]} and the {who}"
            span, path = flow.span_of(pointer), _path(pointer)
            yield problem("JNA209", message, span, "take another port", path)
        owners[port] = f"the {who}"


def _shards_and_processes(flow: FlowSpec, pod: PodSpec, index: int) -> Iterator[Diagnostic]:
    pointer, path = f"/executors/{index}", f"executors[{index}]"
    at = flow.spans.get(f"{pointer}/partial")
    is_idle = pod.partial is Partial.ALLOW and pod.shards == 1 and not pod.external
    if at is not None and is_idle and is_own(flow, at):
        yield no_effect("partial", at, "the Pod has one shard", f"{path}.partial")
    if pod.runtime is Runtime.INPROCESS:
        reason = obstacle(pod, {each.name: each for each in flow.executors})
        if reason:
            message = f"{pod.name!r} cannot run in the process of the Pod before it: {reason}"
            hint = "leave 'runtime' out, or mend that"
            span = flow.span_of(f"{pointer}/runtime")
            yield problem("JNA212", message, span, hint, f"{path}.runtime")


def _origins(flow: FlowSpec) -> Iterator[Diagnostic]:
    cors = flow.gateway.cors
    for index, origin in enumerate(cors if isinstance(cors, tuple) else ()):
        if not _ORIGIN.fullmatch(origin):
            span = _item_span(flow, "/gateway/cors", index)
            hint = "write scheme and host, https://example.org, or '*' for any"
            yield problem("JNA104", f"{origin!r} is no origin", span, hint, "gateway.cors")


def _tls(flow: FlowSpec) -> Iterator[Diagnostic]:
    spans = flow.spans
    pair = ("ssl_certfile", "ssl_keyfile")
    given = [key for key in pair if f"/gateway/{key}" in spans]
    if len(given) == 1:
        other = pair[1 - pair.index(given[0])]
        span = spans[f"/gateway/{given[0]}"]
        message = f"{given[0]!r} does nothing without {other!r}"
        yield problem("JNA110", message, span, f"add {other!r}", f"gateway.{given[0]}")
    elif given and Protocol.NATIVE in flow.gateway.protocol:
        index = flow.gateway.protocol.index(Protocol.NATIVE)
        span = _item_span(flow, "/gateway/protocol", index)
        message = "'native' is served without TLS: 'ssl_certfile' is for the other protocols"
        hint = "leave it out where others can reach this port"
        yield problem("JNA110", message, span, hint, "gateway.protocol", Severity.WARNING)


def _operators(flow: FlowSpec, pod: PodSpec, index: int) -> Iterator[Diagnostic]:
    pending: list[tuple[str, object]] = [(f"/executors/{index}/when", pod.when)]
    while pending:
        pointer, value = pending.pop(0)
        if isinstance(value, dict):
            for key, inner in value.items():
                place = f"{pointer}/{escape(key)}"
                pending.append((place, inner))
                if key.startswith("$") and key not in _OPERATORS:
                    near = nearest(key, sorted(_OPERATORS))
                    hint = f"did you mean {near!r}?" if near else _listed(sorted(_OPERATORS))
                    message = f"{key!r} is no operator of a condition"
                    path = f"executors[{index}].when"
                    yield problem("JNA103", message, flow.span_of(place), hint, path)
        elif isinstance(value, list):
            pending += [(f"{pointer}/{n}", inner) for n, inner in enumerate(value)]


def _path(pointer: str) -> str:
    return re.sub(r"/(\d+)", r"[\1]", pointer).replace("/", ".").removeprefix(".")


def _item_span(flow: FlowSpec, pointer: str, index: int) -> Span:
    return flow.spans.get(f"{pointer}/{index}", flow.span_of(pointer))


def _is_here(host: str) -> bool:
    bare = host.rpartition("://")[2].partition(":")[0]
    return bare in ("localhost", "127.0.0.1", "0.0.0.0")


def _listed(words: Sequence[str]) -> str:
    shown = [repr(word) if not word.startswith("$") else word for word in words[:MAX_LISTED]]
    more = len(words) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
