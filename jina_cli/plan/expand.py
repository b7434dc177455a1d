"""From what a Flow's YAML says to all of its processes.

Named steps, each a pure function: check, arrange the Pods, give every process a seat (a name
and a socket), then write out what each of them, and the Gateway, has to know.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jina_cli.errors import CannotWrite, SpecInvalid
from jina_cli.plan.check import problems_of
from jina_cli.plan.environment import Surroundings, env_of, is_forkable
from jina_cli.plan.graph import Node, arrange, fold
from jina_cli.plan.models import (
    DEFAULT_DEADLINE_S,
    MAX_QUEUE,
    ExecutorPlan,
    FusedPlan,
    GatewayPlan,
    HeadPlan,
    Listener,
    PeaPlan,
    Plan,
    Route,
    Telemetry,
)
from jina_cli.spec.external import places_of
from jina_cli.spec.fusing import has_head, hosts_of
from jina_cli.spec.models import GATEWAY, ExecutorSpec, FlowSpec, GatewaySpec, PodSpec
from jina_cli.spec.schemas import rules
from jina_cli.spec.watching import collector, ports_of
from jina_cli.vocabulary import Partial, PeaRole, Polling

FOREVER_S = 365 * 86400.0
"""What a time-out of -1 becomes: longer than any Flow waits, and still a number in JSON."""

SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
"""The longest path of a unix socket (`sun_path`, less its final NUL byte)."""

_GATEWAY_SOCKET = "gateway.sock"

BUILTIN_POLLING: Mapping[str, Polling] = {
    "/search": Polling.ALL,
    "/index": Polling.ANY,
    "/update": Polling.ANY,
    "/delete": Polling.ANY,
}
"""Holds even where `polling` is one word for all; only an entry of its own changes it."""

INDEXER_POLLING: Mapping[str, Polling] = {
    **BUILTIN_POLLING,
    "/get": Polling.ANY,
    "/count": Polling.ALL,
    "/dump": Polling.ALL,
    "/status": Polling.ALL,
}
"""The same where a built-in Indexer runs. An Executor of one's own may mean anything by these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seat:
    """A process before it has its orders."""

    name: str
    role: PeaRole
    shard: int = 0
    replica: int = 0
    address: str = ""
    port_monitoring: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pod:
    """A Pod in its place, with seats for its processes; an external one has none."""

    node: Node
    seats: tuple[_Seat, ...]

    @property
    def spec(self) -> PodSpec:
        return self.node.spec

    def addresses(self, shard: int) -> tuple[str, ...]:
        """Where the replicas of a shard are."""
        return tuple(s.address for s in self.seats if s.role is PeaRole.WORKER and s.shard == shard)

    @property
    def head(self) -> _Seat | None:
        return next((seat for seat in self.seats if seat.role is PeaRole.HEAD), None)


def expand(
    flow: FlowSpec, *, run_dir: Path, log_dir: Path, workspace: Path, environ: Mapping[str, str]
) -> Plan:
    """Return all processes of `flow`.

    Args:
        run_dir: Where its sockets will be; its path must be short (see `SOCKET_PATH_BYTES`).
        log_dir: Where its log files will be.
        workspace: Root of the workspaces where the YAML names none.
        environ: The variables of the parent; its `JINA_LOG_LEVEL` and GPU variables count.

    Raises:
        SpecInvalid: The Flow cannot be run as it is; carries all problems.
        CannotWrite: The path of `run_dir` is too long for sockets.
    """
    if problems := problems_of(flow, environ):
        raise SpecInvalid(problems)
    around = Surroundings.of(flow, environ, workspace)
    run_dir = Path(os.path.abspath(run_dir))
    _check_room_for_sockets(run_dir)
    pods = _seated(fold(arrange(flow.executors), hosts_of(flow)), run_dir)
    return Plan(
        flow=flow.name,
        source=flow.source,
        run_dir=str(run_dir),
        log_dir=os.path.abspath(log_dir),
        workspace=around.workspace,
        gateway=_gateway(flow, pods, run_dir, around),
        peas=tuple(_pea(pod, seat, flow, around) for pod in pods for seat in pod.seats),
    )


def _check_room_for_sockets(run_dir: Path) -> None:
    longest = os.path.join(run_dir, _GATEWAY_SOCKET)
    if len(os.fsencode(longest)) > SOCKET_PATH_BYTES:
        raise CannotWrite(
            f"{run_dir} is too long a path to hold unix sockets",
            hint="set XDG_RUNTIME_DIR to a shorter folder",
        )


def _seated(nodes: Sequence[Node], run_dir: Path) -> tuple[_Pod, ...]:
    """Give each process its name and its socket, numbered through the whole Flow."""
    seated: list[_Pod] = []
    count = 0
    for node in nodes:
        seats: list[_Seat] = []
        for seat, port in zip(_places(node.spec), ports_of(node.spec), strict=True):
            address = _address(run_dir, f"p{count}.sock")
            seats.append(replace(seat, address=address, port_monitoring=port))
            count += 1
        seated.append(_Pod(node=node, seats=tuple(seats)))
    return tuple(seated)


def _places(pod: PodSpec) -> Iterator[_Seat]:
    """Yield the processes of a Pod, its head first, before they have addresses."""
    if pod.external:
        return
    if has_head(pod):
        yield _Seat(name=f"{pod.name}/head", role=PeaRole.HEAD)
    for shard in range(pod.shards):
        of_shard = f"/shard-{shard}" if pod.shards > 1 else ""
        for replica in range(pod.replicas):
            name = f"{pod.name}{of_shard}/rep-{replica}"
            yield _Seat(name=name, role=PeaRole.WORKER, shard=shard, replica=replica)


def _address(run_dir: Path, name: str) -> str:
    return f"unix:{run_dir / name}"


def _pea(pod: _Pod, seat: _Seat, flow: FlowSpec, around: Surroundings) -> PeaPlan:
    spec, is_head = pod.spec, seat.role is PeaRole.HEAD
    env = env_of(spec, seat.replica, around)
    return PeaPlan(
        name=seat.name,
        pod=spec.name,
        role=seat.role,
        address=seat.address,
        workspace=_workspace(spec, "head" if is_head else str(seat.shard), around),
        shard=seat.shard,
        shards=spec.shards,
        replica=seat.replica,
        replicas=spec.replicas,
        executor=None if is_head else executor_plan(spec.uses),
        head=_head(pod) if is_head else None,
        env=env,
        # What is installed for it must be there before anything is imported.
        forkable=is_forkable(env) and not spec.install_requirements,
        python=sys.executable,
        ready_within_s=seconds(spec.timeout_ready),
        stop_within_s=seconds(spec.stop_timeout),
        restart=spec.restart,
        max_restarts=spec.max_restarts,
        needs=pod.node.needs,
        log_level=around.log_level,
        inputs=pod.node.inputs,
        no_reduce=spec.no_reduce,
        allow_concurrent=spec.allow_concurrent,
        max_queue=spec.max_queue,
        max_message_bytes=flow.gateway.max_message_bytes,
        # A head leaves out documents before they are spread.
        when=spec.when if is_head or pod.head is None else None,
        fused=tuple(_fused(each, around) for each in pod.node.fused),
        exit_on_exceptions=spec.exit_on_exceptions,
        install_requirements=spec.install_requirements,
        telemetry=_telemetry(spec, seat.port_monitoring),
    )


def _fused(spec: PodSpec, around: Surroundings) -> FusedPlan:
    return FusedPlan(
        pod=spec.name,
        executor=executor_plan(spec.uses),
        workspace=_workspace(spec, "0", around),
        when=spec.when,
        allow_concurrent=spec.allow_concurrent,
        exit_on_exceptions=spec.exit_on_exceptions,
    )


def _telemetry(spec: PodSpec | GatewaySpec, port: int) -> Telemetry:
    return Telemetry(
        monitoring=spec.monitoring,
        port_monitoring=port,
        traces_to=collector(spec.tracing, spec.traces_exporter_host, spec.traces_exporter_port),
        metrics_to=collector(spec.metrics, spec.metrics_exporter_host, spec.metrics_exporter_port),
    )


def _head(pod: _Pod) -> HeadPlan:
    spec = pod.spec
    return HeadPlan(
        shards=tuple(pod.addresses(shard) for shard in range(spec.shards)),
        polling={"*": Polling.ANY, **_polling(spec)},
        before=None if spec.uses_before is None else executor_plan(spec.uses_before),
        after=None if spec.uses_after is None else executor_plan(spec.uses_after),
        partial=spec.partial is Partial.ALLOW,
        retries=spec.retries,
        idempotent=spec.idempotent,
    )


def _polling(pod: PodSpec) -> dict[str, Polling]:
    known = rules()["executor"].properties["jtype"].builtin
    names = [each.jtype for each in (pod.uses, *pod.uses.components)]
    is_indexer = any("/dump" in known[name].endpoints for name in names if name in known)
    return {**(INDEXER_POLLING if is_indexer else BUILTIN_POLLING), **pod.polling}


def _workspace(pod: PodSpec, shard: str, around: Surroundings) -> str:
    """Return the folder of one shard, `{root}/{pod}/{shard}`; a relative root is in the cwd."""
    own = None if around.is_workspace_given else pod.uses.metas.get("workspace")
    root = pod.workspace or own or around.workspace
    return os.path.join(os.path.abspath(root), pod.name, shard)


def executor_plan(spec: ExecutorSpec) -> ExecutorPlan:
    """Return what a process is told about its Executor."""
    return ExecutorPlan(
        uses=spec.jtype,
        py_modules=spec.py_modules,
        with_=spec.with_,
        metas=spec.metas,
        requests={
            endpoint: value
            if isinstance(value, str)
            else [{"driver": driver.driver, "with": dict(driver.with_)} for driver in value]
            for endpoint, value in spec.requests.items()
        },
        dynamic_batching=spec.dynamic_batching,
        components=tuple(executor_plan(component) for component in spec.components),
        source_dir=spec.source_dir,
        place=str(spec.span) if spec.span.path else "",
    )


def _gateway(flow: FlowSpec, pods: Sequence[_Pod], run_dir: Path, around: Surroundings) -> PeaPlan:
    spec = flow.gateway
    address = _address(run_dir, _GATEWAY_SOCKET)
    env = {**flow.env, **spec.env}
    return PeaPlan(
        name=GATEWAY,
        pod=GATEWAY,
        role=PeaRole.GATEWAY,
        address=address,
        workspace=os.path.join(around.workspace, GATEWAY),
        gateway=_gateway_plan(flow, pods, address),
        env=env,
        forkable=False,
        python=sys.executable,
        ready_within_s=seconds(spec.timeout_ready),
        stop_within_s=seconds(spec.stop_timeout),
        restart=spec.restart,
        max_restarts=spec.max_restarts,
        needs=tuple(pod.spec.name for pod in pods),
        log_level=around.log_level,
        # Wide enough for the widest of its Pods: each process holds to its own bound.
        max_queue=max([MAX_QUEUE, *(pod.spec.max_queue for pod in pods)]),
        max_message_bytes=spec.max_message_bytes,
        telemetry=_telemetry(spec, spec.port_monitoring if spec.monitoring else 0),
    )


def _gateway_plan(flow: FlowSpec, pods: Sequence[_Pod], address: str) -> GatewayPlan:
    spec = flow.gateway
    return GatewayPlan(
        flow=flow.name,
        listeners=tuple(
            Listener(protocol=protocol, host=spec.host, port=port)
            for protocol, port in zip(spec.protocol, spec.port, strict=True)
        ),
        native_address=address,
        routes=tuple(_route(pod) for pod in pods),
        title=spec.title,
        description=spec.description,
        cors=spec.cors is True,
        cors_origins=spec.cors if isinstance(spec.cors, tuple) else (),
        ssl_certfile=spec.ssl_certfile,
        ssl_keyfile=spec.ssl_keyfile,
        prefetch=spec.prefetch,
        deadline_s=optional_seconds(spec.timeout_send) or DEFAULT_DEADLINE_S,
        expose_endpoints=spec.expose_endpoints,
        compression=spec.compression,
    )


def _route(pod: _Pod) -> Route:
    spec = pod.spec
    return Route(
        pod=spec.name,
        needs=pod.node.needs,
        addresses=_route_addresses(pod),
        external=spec.external,
        floating=pod.node.floating,
        when=spec.when if spec.external else None,
        timeout_s=_timeout(pod),
        retries=spec.retries,
        no_reduce=spec.no_reduce,
        metadata=spec.grpc_metadata,
        idempotent=spec.idempotent,
        fused=tuple(each.name for each in pod.node.fused),
    )


def _timeout(pod: _Pod) -> float | None:
    """Return the bound on a step; Pods of one process, which have equal ones, share the sum."""
    one = optional_seconds(pod.spec.timeout_send)
    return None if one is None else one * (1 + len(pod.node.fused))


def _route_addresses(pod: _Pod) -> tuple[str, ...]:
    if pod.spec.external:
        return tuple(place.address for place in places_of(pod.spec))
    return pod.addresses(0) if pod.head is None else (pod.head.address,)


def seconds(milliseconds: int) -> float:
    """Return a time-out of the YAML in seconds; -1 is for ever."""
    return FOREVER_S if milliseconds < 0 else milliseconds / 1000


def optional_seconds(milliseconds: int | None) -> float | None:
    """Return a bound of the YAML in seconds; None where it has none or is -1."""
    return None if milliseconds is None or milliseconds < 0 else milliseconds / 1000
