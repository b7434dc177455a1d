"""`Flow`: Pods that need each other behind one Gateway, written in Python or read from YAML."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from jina_cli.errors import UsageError
from jina_cli.files import save_text
from jina_cli.orchestrate.deployment import Deployment
from jina_cli.orchestrate.draft import Draft
from jina_cli.orchestrate.places import caller
from jina_cli.orchestrate.runnable import Runnable, made
from jina_cli.orchestrate.uses import pod_values
from jina_cli.orchestrate.values import plain

if TYPE_CHECKING:
    from jina_cli.spec.models import PodSpec


class Flow(Runnable):
    """Pods that need each other, behind one Gateway.

    Example:
        >>> flow = Flow(port=12345).add(uses=MyExecutor, replicas=2)
        >>> with flow:
        ...     docs = flow.post("/search", docs)

    Args:
        asyncio: Whether `post` gives what `async for` reads.
        quiet: Whether nothing of it is shown.
        with_: Keys of `with` in its YAML: `port`, `protocol`, `name`, `workspace`, `env`, …
    """

    def __init__(self, *, asyncio: bool = False, quiet: bool = False, **with_: Any) -> None:
        known = {key: value for key, value in with_.items() if value is not None}
        super().__init__(made("Flow", known), asyncio=asyncio, quiet=quiet)

    # Building

    def add(
        self,
        deployment: Deployment | None = None,
        /,
        *,
        needs: str | Sequence[str] | None = None,
        copy_flow: bool = True,
        **values: Any,
    ) -> Self:
        """Return a Flow with one more Pod, which needs the one before it if nothing is said.

        Args:
            deployment: The Pod; else it is what the keywords say.
            needs: Pods whose answers it takes; `gateway` is the request as it came.
            copy_flow: False adds it to this Flow, and returns that.
            values: Keys of a Pod in the YAML. `uses` may also be a class, if it is defined at
                the top of a file.

        Raises:
            NotImportable: The class is defined where no other process finds it.
            TypeError: A value cannot reach another process.
        """
        if needs is not None:
            values["needs"] = [needs] if isinstance(needs, str) else list(needs)
        held = deployment.as_pod() if deployment is not None else {}
        pod = {**held, **pod_values(values)}
        return self._next(self._draft.with_pod(pod, caller()), copy_flow)

    def needs(
        self, needs: Sequence[str], name: str = "joiner", *, copy_flow: bool = True, **values: Any
    ) -> Self:
        """Return a Flow in which a Pod waits for several others, and merges their answers.

        Raises:
            UsageError: There is only one to wait for.
        """
        if isinstance(needs, str) or len(needs) <= 1:
            raise UsageError("a joiner needs two Pods at least", hint="use add(needs=…) for one")
        return self.add(needs=needs, name=name, copy_flow=copy_flow, **values)

    def needs_all(self, name: str = "joiner", *, copy_flow: bool = True, **values: Any) -> Self:
        """Return a Flow in which a Pod waits for all that no other Pod waits for."""
        return self.add(name=name, method="needs_all", copy_flow=copy_flow, **values)

    def inspect(self, name: str = "inspect", *, copy_flow: bool = True, **values: Any) -> Self:
        """Return a Flow in which a Pod looks at what the last one answered, beside the way."""
        return self.add(name=name, method="inspect", copy_flow=copy_flow, **values)

    def gather_inspect(
        self, name: str = "gather_inspect", *, copy_flow: bool = True, **values: Any
    ) -> Self:
        """Return a Flow in which a Pod waits for all that inspect."""
        return self.add(name=name, method="gather_inspect", copy_flow=copy_flow, **values)

    def config_gateway(self, *, copy_flow: bool = True, **values: Any) -> Self:
        """Return a Flow whose Gateway is set up by these keys of `gateway` in the YAML."""
        given = {key: value for key, value in values.items() if value is not None}
        draft = self._draft.with_values("gateway", plain(given, "gateway"), caller())
        return self._next(draft, copy_flow)

    def expose_endpoint(self, exec_endpoint: str, **how: Any) -> Self:
        """Give an endpoint an HTTP path of its own, here and now; return this Flow."""
        known = dict(self.spec.gateway.expose_endpoints)
        known[exec_endpoint] = plain(how, "expose_endpoint")
        draft = self._draft.with_values("gateway", {"expose_endpoints": known}, caller())
        self._changed(draft)
        return self

    def build(self, *, copy_flow: bool = False) -> Self:
        """Check it, and return it.

        Raises:
            SpecInvalid: With all that is wrong.
        """
        flow = self._next(self._draft, copy_flow)
        _ = flow.spec
        flow._warn()
        return flow

    def _next(self, draft: Draft, copy_flow: bool) -> Self:
        if not copy_flow:
            self._changed(draft)
            return self
        made = self.__class__.__new__(self.__class__)
        Runnable.__init__(made, draft, asyncio=self._is_async, quiet=self._is_quiet)
        return made

    # Looking at it

    def __len__(self) -> int:
        return len(self.spec.executors)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[tuple[str, PodSpec]]:
        return iter([(pod.name, pod) for pod in self.spec.executors])

    def __getitem__(self, key: str | int) -> PodSpec:
        if isinstance(key, int):
            return self.spec.executors[key]
        for pod in self.spec.executors:
            if pod.name == key:
                return pod
        names = ", ".join(pod.name for pod in self.spec.executors) or "none"
        raise KeyError(f"there is no Pod {key!r}; there are {names}")

    def __contains__(self, name: object) -> bool:
        return any(pod.name == name for pod in self.spec.executors)

    @property
    def num_deployments(self) -> int:
        """Pods and the Gateway, as Jina counts them."""
        return len(self) + 1

    @property
    def env(self) -> Mapping[str, str]:
        """Environment variables of all its processes."""
        return self.spec.env

    def plot(
        self,
        output: str | os.PathLike[str] | None = None,
        vertical_layout: bool = False,
        **_: Any,
    ) -> Self:
        """Draw it, without network, into an SVG file, or as mermaid text in any other.

        Raises:
            CannotWrite: The file cannot be made.
        """
        from jina_cli.export.flowchart import mermaid, svg

        path = Path(output or f"{self.spec.name}.svg")
        draw = svg if path.suffix.lower() == ".svg" else mermaid
        save_text(path, draw(self._planned(), vertical=vertical_layout))
        return self

    def _set_ports(self, ports: list[int]) -> None:
        self._changed(self._draft.with_values("gateway", {"port": ports}, caller()))
