"""A plan seen Pod by Pod, for those who show it to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jina_cli.plan.models import FusedPlan, PeaPlan, Plan, Route
from jina_cli.spec.models import GATEWAY
from jina_cli.vocabulary import PeaRole, Polling


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A step of the Flow with its processes.

    Attributes:
        route: How the Gateway sees it.
        head: The process that spreads requests over its shards, where it has one.
        workers: By shard, then by replica; none for an external Pod.
        waits_for: What it needs, as the YAML has it: the last of Pods that share a process.
    """

    route: Route
    head: PeaPlan | None
    workers: tuple[PeaPlan, ...]
    waits_for: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.route.pod

    @property
    def title(self) -> str:
        """Its name, and those of the Pods that run in its processes after it."""
        return " + ".join((self.route.pod, *self.route.fused))

    @property
    def needs(self) -> tuple[str, ...]:
        """What it waits for; `gateway` for the request itself."""
        return self.route.needs or (GATEWAY,)

    @property
    def classes(self) -> tuple[str, ...]:
        """Short names of the Executors that one of its workers runs, in order."""
        if not self.workers or self.workers[0].executor is None:
            return ()
        worker, first = self.workers[0], self.workers[0].executor
        return tuple(class_name(each.uses) for each in (first, *(f.executor for f in worker.fused)))

    @property
    def is_choosy(self) -> bool:
        """Whether it has a condition on documents."""
        fused = (each for pea in self.workers for each in pea.fused)
        held: tuple[Route | PeaPlan | FusedPlan, ...] = (self.route, *self.peas, *fused)
        return any(each.when for each in held)

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
    routes = plan.gateway.gateway.routes
    last = {route.pod: (route.pod, *route.fused)[-1] for route in routes}
    return tuple(_pod(route, plan, last) for route in routes)


def _pod(route: Route, plan: Plan, last: Mapping[str, str]) -> Pod:
    peas = [pea for pea in plan.peas if pea.pod == route.pod]
    return Pod(
        route=route,
        head=next((pea for pea in peas if pea.role is PeaRole.HEAD), None),
        workers=tuple(pea for pea in peas if pea.role is PeaRole.WORKER),
        waits_for=tuple(last.get(need, need) for need in route.needs) or (GATEWAY,),
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
