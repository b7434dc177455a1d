"""What can be wrong with a Flow whose YAML is valid: found all at once, with its place.

Each check looks at one thing and yields diagnostics; none starts anything or opens a port.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from jina_cli.diagnostics import Diagnostic
from jina_cli.plan.external import BadPlaces, Place, places_of
from jina_cli.plan.gpus import VISIBLE, count_devices, deal, is_round_robin
from jina_cli.plan.graph import GATEWAY, BadGraph, Method, Problem, Step, Trouble, arrange
from jina_cli.spec.models import FlowSpec, PodSpec

_THIS_HOST = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1", "localhost"})


def problems_of(flow: FlowSpec, environ: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return all that is wrong with `flow`, sorted by place; nothing if it can be planned."""
    found = [
        *_graph_problems(flow),
        *_listener_problems(flow),
        *_port_clashes(flow),
        *_external_problems(flow),
        *_gpu_problems(flow, environ),
    ]
    return tuple(sorted(found, key=lambda d: (d.span.path, d.span.line, d.span.column)))


def steps_of(flow: FlowSpec) -> tuple[Step, ...]:
    """Return the Pods of `flow` as steps of a graph, in the order of the YAML."""
    return tuple(_step(pod) for pod in flow.executors)


def _step(pod: PodSpec) -> Step:
    # Where the spec has filled in the needs, what the method said is in them already.
    method = Method.ADD if pod.needs else Method(pod.method)
    return Step(name=pod.name, needs=pod.needs or None, method=method, floating=pod.floating)


def _graph_problems(flow: FlowSpec) -> Iterator[Diagnostic]:
    try:
        arrange(steps_of(flow))
    except BadGraph as error:
        for problem in error.problems:
            yield _graph_diagnostic(problem, flow)
    for index, pod in enumerate(flow.executors):
        if pod.name == GATEWAY:
            message = f"a Pod cannot be named {GATEWAY!r}"
            hint = "`gateway:` at the top level is where the Gateway is set up"
            yield _problem("JNA205", message, hint, flow, f"/executors/{index}/name")


def _graph_diagnostic(problem: Problem, flow: FlowSpec) -> Diagnostic:
    pod = flow.executors[problem.index]
    name = problem.names[0] if problem.names else ""
    needs, key = f"/executors/{problem.index}/needs", f"/executors/{problem.index}/name"
    match problem.trouble:
        case Trouble.UNKNOWN:
            message = f"{pod.name!r} needs {name!r}, which is no Pod of this Flow"
            return _problem("JNA201", message, _nearest(name, flow), flow, needs)
        case Trouble.ITSELF:
            hint = "leave `needs` out to take the Pod before it"
            return _problem("JNA202", f"{pod.name!r} needs itself", hint, flow, needs)
        case Trouble.CYCLE:
            message = f"these Pods wait for each other: {' → '.join(problem.names)}"
            return _problem("JNA203", message, "let one of them need 'gateway'", flow, needs)
        case Trouble.DUPLICATE:
            message = f"there are two Pods named {name!r}"
            return _problem("JNA204", message, "give each its own name", flow, key)
        case Trouble.FLOATING:
            message = f"{pod.name!r} needs {name!r}, which is floating: nobody waits for it"
            hint = f"make {pod.name!r} floating too, or {name!r} not"
            return _problem("JNA206", message, hint, flow, needs)
        case Trouble.TOO_FEW:
            message = f"{pod.name!r} joins {len(problem.names)} of the at least two it must"
            return _problem("JNA207", message, "use `needs` without `method`", flow, needs)


def _nearest(name: str, flow: FlowSpec) -> str | None:
    from difflib import get_close_matches

    names = [GATEWAY, *(pod.name for pod in flow.executors)]
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}"


def _listener_problems(flow: FlowSpec) -> Iterator[Diagnostic]:
    protocols, ports = len(flow.gateway.protocol), len(flow.gateway.port)
    if protocols != ports:
        message = f"{protocols} protocols and {ports} ports; there must be one port for each"
        hint = "a port of 0 takes any that is free"
        yield _problem("JNA208", message, hint, flow, "/gateway/port")


def _port_clashes(flow: FlowSpec) -> Iterator[Diagnostic]:
    """Find ports that the Gateway would bind twice, or that it would bind before another."""
    users: defaultdict[int, list[str]] = defaultdict(list)
    for port, protocol in zip(flow.gateway.port, flow.gateway.protocol, strict=False):
        if port:
            users[port].append(f"the Gateway's {protocol.value}")
    for port, who in users.items():
        if len(who) > 1:
            message = f"port {port} is taken twice: by {' and '.join(who)}"
            yield _problem("JNA209", message, "give each its own", flow, "/gateway/port")
    for index, pod in enumerate(flow.executors):
        for place in _places(pod):
            if place.port in users and place.host in _THIS_HOST:
                message = (
                    f"port {place.port} is the Gateway's own, and where {pod.name!r} should be"
                )
                pointer = f"/executors/{index}/port"
                yield _problem("JNA209", message, "a Flow cannot call itself", flow, pointer)


def _places(pod: PodSpec) -> tuple[Place, ...]:
    """Return the addresses of a Pod, or none if they are wrong: that is told elsewhere."""
    try:
        return places_of(pod)
    except BadPlaces:
        return ()


def _external_problems(flow: FlowSpec) -> Iterator[Diagnostic]:
    for index, pod in enumerate(flow.executors):
        try:
            places_of(pod)
        except BadPlaces as error:
            pointer = f"/executors/{index}/{error.key}"
            yield _problem("JNA210", str(error), error.hint, flow, pointer)


def _gpu_problems(flow: FlowSpec, environ: Mapping[str, str]) -> Iterator[Diagnostic]:
    devices = count_devices(environ)
    for index, pod in enumerate(flow.executors):
        value = {**flow.env, **pod.env}.get(VISIBLE, environ.get(VISIBLE, ""))
        if not is_round_robin(value):
            continue
        try:
            deal(value, pod.replicas, devices)
        except ValueError as error:
            pointer = f"/executors/{index}/env/{VISIBLE}"
            hint = "write RR for all GPUs, RR0:2 for a slice, RR1,3 for some"
            yield _problem("JNA211", f"{VISIBLE}: {error}", hint, flow, pointer)


def _problem(code: str, message: str, hint: str | None, flow: FlowSpec, pointer: str) -> Diagnostic:
    path = re.sub(r"/(\d+)", r"[\1]", pointer).replace("/", ".").removeprefix(".")
    return Diagnostic(code=code, message=message, hint=hint, span=flow.span_of(pointer), path=path)
