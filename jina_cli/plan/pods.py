"""A plan seen Pod by Pod, for those who show it to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jina_cli.plan.models import ExecutorPlan, PeaPlan, Plan, Route
from jina_cli.spec.models import GATEWAY
from jina_cli.vocabulary import PeaRole, Polling


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A step of the Flow with its processes.

    Attributes:
        route: How the Gateway sees it.
        head: The process that spreads requests over its shards, where it has one.
        workers: By shard, then by replica; none for an external Pod.
    """

    route: Route
    head: PeaPlan | None
    workers: tuple[PeaPlan, ...]

    @property
    def name(self) -> str:
        return self.route.pod

    @property
    def needs(self) -> tuple[str, ...]:
        """What it waits for; `gateway` for the request itself."""
        return self.route.needs or (GATEWAY,)

    @property
    def executor(self) -> ExecutorPlan | None:
        return self.workers[0].executor if self.workers else None

    @property
    def shards(self) -> int:
        return self.workers[0].shards if self.workers else 1

    @property
    def replicas(self) -> int:
        return self.workers[0].replicas if self.workers else len(self.route.addresses)

    @property
    def peas(self) -> tuple[PeaPlan, ...]:
        return self.workers if self.head is None else (self.head, *self.workers)


def pods_of(plan: Plan) -> tuple[Pod, ...]:
    """Return the Pods of a plan in the order of its routes: needs come first."""
    assert plan.gateway.gateway is not None, "the Gateway's Pea has a Gateway's plan"
    return tuple(_pod(route, plan) for route in plan.gateway.gateway.routes)


def _pod(route: Route, plan: Plan) -> Pod:
    peas = [pea for pea in plan.peas if pea.pod == route.pod]
    return Pod(
        route=route,
        head=next((pea for pea in peas if pea.role is PeaRole.HEAD), None),
        workers=tuple(pea for pea in peas if pea.role is PeaRole.WORKER),
    )


def class_name(uses: str) -> str:
    """Return the short name of what an Executor's `uses` says: `executor.py:Sum` → `Sum`."""
    return uses.rpartition(":")[2].rpartition("/")[2]


def polling_text(pod: Pod) -> str:
    """Return which shards get what, `/search ALL, others ANY`; empty where there is one."""
    if pod.head is None or pod.head.head is None or pod.shards < 2:
        return ""
    return ", ".join(_polling_parts(pod.head.head.polling))


def _polling_parts(polling: Mapping[str, Polling]) -> Iterator[str]:
    others = polling.get("*", Polling.ANY)
    named = sorted(endpoint for endpoint, way in polling.items() if way is not others)
    if named:
        other = Polling.ANY if others is Polling.ALL else Polling.ALL
        yield f"{' '.join(named)} {other.value}"
    yield f"others {others.value}"
