"""A Pod that somebody else runs, at one address or at several."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jina_cli.plan.models import Route
from jina_cli.serve.groups import all_done
from jina_cli.serve.pods import CannotRoute
from jina_cli.serve.remote import NotJina, Remote
from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.messages import EndpointInfo


class ExternalPod:
    """One external Pod; its addresses are replicas of each other.

    Args:
        route: Of the plan.
        max_pending: Requests that may wait while no address is up.
        max_message_bytes: The limit of one request or answer.
        on_change: Called when an address comes or goes.

    Raises:
        CannotRoute: The file with the certificates to trust cannot be read.
    """

    def __init__(
        self,
        route: Route,
        *,
        max_pending: int,
        max_message_bytes: int,
        on_change: Callable[[], None],
    ) -> None:
        self._name = route.pod
        try:
            self._remotes = [
                Remote(
                    address,
                    metadata=route.metadata,
                    when=route.when,
                    keeps_apart=route.no_reduce,
                    max_message_bytes=max_message_bytes,
                    on_change=on_change,
                )
                for address in route.addresses
            ]
        except OSError as error:
            raise CannotRoute(
                f"the external Pod {route.pod} needs certificates to trust, and {error.filename}"
                f" cannot be read: {error.strerror}"
            ) from None
        self._replicas = ReplicaSet(
            self._remotes,
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
        return self._replicas.is_up

    @property
    def endpoints(self) -> Mapping[str, EndpointInfo]:
        found: dict[str, EndpointInfo] = {}
        for remote in self._remotes:
            if remote.hello is not None:
                found.update(remote.hello.endpoints)
        return found

    def start(self) -> None:
        for remote in self._remotes:
            remote.start()

    async def connected(self) -> None:
        """Return when each address has said what it serves; ask until it does.

        Raises:
            CannotRoute: An address speaks gRPC, but not Jina's.
        """
        try:
            await all_done((remote.discover() for remote in self._remotes), NotJina)
        except NotJina as error:
            raise CannotRoute(
                f"the external Pod {self._name} is no Jina Executor or Flow: {error}"
            ) from None

    async def close(self) -> None:
        await self._replicas.close()
