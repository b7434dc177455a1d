"""The Gateway's side of each Pod: its connections, what it serves, whether it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

from jina_cli.plan.models import GatewayPlan, PeaPlan, Route
from jina_cli.serve.groups import all_done
from jina_cli.serve.router import Router
from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.channel import SILENT_S, Link
from jina_cli.wire.messages import EndpointInfo, Request, Response


class CannotRoute(ValueError):
    """A route of the plan that this Gateway cannot serve."""


class Pod(Protocol):
    """One Pod, as the Gateway knows it. Failures of requests are in their `Response`."""

    @property
    def is_up(self) -> bool:
        """Whether at least one replica can be reached right now, and says that it is ready."""
        ...

    @property
    def endpoints(self) -> Mapping[str, EndpointInfo]:
        """What it serves, as it said last; empty before it said so."""
        ...

    def start(self) -> None:
        """Begin to connect, and go on for as long as this is open."""
        ...

    async def connected(self) -> None:
        """Return when every replica has said what it serves."""
        ...

    async def request(self, request: Request) -> Response: ...

    def stream(self, request: Request) -> AsyncIterator[Response]: ...

    async def broadcast(self, request: Request) -> Response: ...

    async def close(self) -> None: ...


class LocalPod:
    """A Pod of our own Peas, over our own frames.

    Args:
        route: Of the plan; its addresses are replicas, or a head.
        max_pending: Requests that one replica may have at a time.
        max_message_bytes: The limit of one request or answer.
        on_change: Called when a replica comes or goes.
        silent_s: How long a replica may be silent before others are asked.
    """

    def __init__(
        self,
        route: Route,
        *,
        max_pending: int,
        max_message_bytes: int,
        on_change: Callable[[], None],
        silent_s: float = SILENT_S,
    ) -> None:
        self._links = [
            Link(
                address,
                max_pending=max_pending,
                max_message_bytes=max_message_bytes,
                on_change=lambda *_: on_change(),
                silent_s=silent_s,
                with_routes=bool(route.fused),
            )
            for address in route.addresses
        ]
        self._replicas = ReplicaSet(
            self._links,
            name=route.pod,
            retries=route.retries,
            max_waiting=max_pending,
            idempotent=route.idempotent,
        )
        self.request = self._replicas.request
        self.stream = self._replicas.stream
        self.broadcast = self._replicas.broadcast

    @property
    def is_up(self) -> bool:
        return any(link.is_ready for link in self._links)

    @property
    def endpoints(self) -> Mapping[str, EndpointInfo]:
        found: dict[str, EndpointInfo] = {}
        for link in self._links:
            if link.hello is not None:
                found.update(link.hello.endpoints)
        return found

    @property
    def pods(self) -> Mapping[str, Mapping[str, EndpointInfo]]:
        """What each Pod serves, where several run in the processes of this one; else nothing."""
        hellos = (link.hello for link in self._links if link.hello is not None)
        return next((hello.pods for hello in hellos), {})

    def start(self) -> None:
        for link in self._links:
            link.start()

    async def connected(self) -> None:
        for link in self._links:
            await _until_up(link)

    async def close(self) -> None:
        await self._replicas.close()


_PATIENCE_S = 60.0


async def _until_up(link: Link) -> None:
    while True:
        try:
            await link.wait_up(_PATIENCE_S)
        except TimeoutError:
            continue
        return


def pods_of(plan: PeaPlan, gateway: GatewayPlan, on_change: Callable[[], None]) -> dict[str, Pod]:
    """Return the Pods of all routes by their names, none started.

    Raises:
        CannotRoute: Certificates that an external Pod needs cannot be read.
    """
    return {route.pod: _pod(route, plan, on_change) for route in gateway.routes}


def _pod(route: Route, plan: PeaPlan, on_change: Callable[[], None]) -> Pod:
    if route.external:
        from jina_cli.serve.external import ExternalPod

        return ExternalPod(
            route,
            max_pending=plan.max_queue,
            max_message_bytes=plan.max_message_bytes,
            on_change=on_change,
        )
    return LocalPod(
        route,
        max_pending=plan.max_queue,
        max_message_bytes=plan.max_message_bytes,
        on_change=on_change,
    )


async def all_connected(pods: Sequence[Pod]) -> None:
    """Return when every Pod is connected.

    Raises:
        CannotRoute: One of them can never be.
    """
    await all_done((pod.connected() for pod in pods), CannotRoute)


def router_of(routes: Sequence[Route], pods: Mapping[str, Pod]) -> Router:
    """Return the router for what the Pods serve now."""
    return Router(routes, {name: tuple(infos) for name, infos in infos_of(pods).items()})


def infos_of(pods: Mapping[str, Pod]) -> dict[str, Mapping[str, EndpointInfo]]:
    """Return what each Pod serves, those that run in the processes of another among them."""
    found: dict[str, Mapping[str, EndpointInfo]] = {}
    for name, pod in pods.items():
        found[name] = pod.endpoints
        found.update(pod.pods if isinstance(pod, LocalPod) else {})
    return found


def endpoints_of(pods: Mapping[str, Pod]) -> dict[str, EndpointInfo]:
    """Return all endpoints of the Flow: the input of the first Pod that serves one, the
    output of the last."""
    found: dict[str, EndpointInfo] = {}
    for pod in pods.values():
        for endpoint, info in pod.endpoints.items():
            first = found.get(endpoint)
            found[endpoint] = info if first is None else first.then(info)
    return found
