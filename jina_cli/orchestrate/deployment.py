"""`Deployment`: one Executor behind a Gateway of its own."""

from __future__ import annotations

from typing import Any

from jina_cli.orchestrate.draft import new_draft
from jina_cli.orchestrate.places import caller
from jina_cli.orchestrate.runnable import Runnable
from jina_cli.orchestrate.uses import pod_values
from jina_cli.spec.nodes import MapNode, to_data


class Deployment(Runnable):
    """One Pod, served alone; or a Pod that a Flow is given with `add`.

    Example:
        >>> with Deployment(uses=MyExecutor, replicas=2) as deployment:
        ...     docs = deployment.post("/search", docs)

    Args:
        asyncio: Whether `post` gives what `async for` reads.
        quiet: Whether nothing of it is shown.
        include_gateway: Taken as Jina has it, where False serves the Executor itself at `port`,
            over gRPC. Here a Gateway answers there either way, and over gRPC it is no different.
        values: Keys of a Pod in the YAML, and `port`, `protocol` and others of the Gateway.
            `uses` may also be a class, if it is defined at the top of a file.

    Raises:
        NotImportable: The class is defined where no other process finds it.
        TypeError: A value cannot reach another process.
    """

    def __init__(
        self,
        *,
        asyncio: bool = False,
        quiet: bool = False,
        include_gateway: bool = True,
        **values: Any,
    ) -> None:
        draft = new_draft("Deployment", pod_values(values), caller())
        super().__init__(draft, asyncio=asyncio, quiet=quiet)

    @property
    def name(self) -> str:
        """Of its Pod."""
        return self.spec.executors[0].name

    @property
    def num_pods(self) -> int:
        """Processes that run its Executor."""
        [pod] = self.spec.executors
        return pod.shards * pod.replicas

    def as_pod(self) -> dict[str, Any]:
        """Return what a Flow's YAML would say of it."""
        held = self._draft.root.get("with")
        values: dict[str, Any] = to_data(held) if isinstance(held, MapNode) else {}
        if not values.get("external"):
            # What its own Gateway would have had.
            values = {k: v for k, v in values.items() if k not in ("port", "protocol", "host")}
        return values

    def _set_ports(self, ports: list[int]) -> None:
        self._changed(self._draft.with_values("with", {"port": ports}, caller()))
