"""From a plan to Executors that run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from jina_cli.documents.document import Document
from jina_cli.documents.query import Query
from jina_cli.executors.compound import CompoundExecutor, assemble, close_all
from jina_cli.executors.creation import Surroundings
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.executor import Executor, batchings_of
from jina_cli.executors.families import Family
from jina_cli.executors.jina_names import install
from jina_cli.executors.registry import load
from jina_cli.lifeline import PhaseSaid
from jina_cli.plan.models import ExecutorPlan, PeaPlan
from jina_cli.runtime.host import Host
from jina_cli.runtime.steps import Track, steps_of
from jina_cli.runtime.worker import Seat, Worker
from jina_cli.vocabulary import DEFAULT_ENDPOINT
from jina_cli.wire.messages import EndpointInfo


class Loaded:
    """Executors of one Pea, with the host that runs them.

    Attributes:
        host: Answers requests.
        executors: In the order they are called.
    """

    def __init__(self, host: Host, executors: tuple[Executor, ...]) -> None:
        self.host = host
        self.executors = executors

    @property
    def name(self) -> str:
        """Class of the Executor; of several, all of them."""
        return "+".join(type(executor).__name__ for executor in self.executors)

    @property
    def endpoints(self) -> dict[str, EndpointInfo]:
        """What is served, with the schemas of its documents."""
        return {name: _info(track) for name, track in self.host.worker.endpoints.items()}

    def close(self) -> None:
        """Close the Executors, the last one first; the first exception is raised at the end."""
        close_all(self.executors)


def load_executors(wanted: ExecutorPlan, pea: PeaPlan, say: Callable[[PhaseSaid], None]) -> Loaded:
    """Import and create what `wanted` names, for the place that `pea` has.

    Raises:
        ImportFailed: The class could not be imported; what was raised is its cause.
        InitFailed: It could not be created; what was raised is its cause.
    """
    say(PhaseSaid(phase="import"))
    try:
        install()
        classes = dict(_classes(wanted))
    except Exception as error:
        raise ImportFailed(wanted.uses) from error
    say(PhaseSaid(phase="init"))
    try:
        executor = assemble(wanted, lambda plan: classes[id(plan)], _around(pea))
        steps = steps_of(executor, None if pea.when is None else Query.of(pea.when))
        batching = batching_of(executor, by_default=not pea.allow_concurrent)
    except Exception as error:
        raise InitFailed(wanted.uses) from error
    host = Host(Worker(_seat(pea), steps), batching, allow_concurrent=pea.allow_concurrent)
    executors = tuple(_flat(executor))
    return Loaded(host, executors)


def _classes(plan: ExecutorPlan) -> Iterator[tuple[int, type[Executor]]]:
    """Yield the class of each plan without components, by the identity of the plan."""
    if not plan.components:
        yield id(plan), load(plan)
    for component in plan.components:
        yield from _classes(component)


def _flat(executor: Executor) -> Iterator[Executor]:
    yield from executor.flat() if isinstance(executor, CompoundExecutor) else (executor,)


def batching_of(executor: Executor, *, by_default: bool) -> dict[str, Batching]:
    """Return how requests to an Executor, or to a chain of them, are grouped.

    What somebody asked for counts; else requests are grouped where all Executors that serve
    the endpoint give the same answers to documents together and apart.

    Args:
        by_default: Whether to group what nobody asked for: not where Executors may be called
            by several threads, since one group is worked on at a time.

    Raises:
        ExecutorInvalid: It makes no sense.
    """
    found: dict[str, Batching] = {}
    executors = list(_flat(executor))
    ours = [_default_batching(each) for each in executors]
    for endpoint in ours[0] if by_default else ():
        if all(endpoint in batching for batching in ours):
            found[endpoint] = ours[0][endpoint]
    if isinstance(executor, CompoundExecutor):
        own = executor.requests
        found = {} if DEFAULT_ENDPOINT in own else {k: v for k, v in found.items() if k not in own}
        executors.append(executor)
    for each in executors:
        found.update(batchings_of(each))
        for name in each.dynamic_batching:
            if each.dynamic_batching[name].get("use_dynamic_batching") is False:
                found.pop(name, None)
    return found


def _default_batching(executor: Executor) -> Mapping[str, Batching]:
    if not isinstance(executor, Family):
        return {}
    drivers = executor.default_drivers()
    return {
        endpoint: batching
        for endpoint, batching in executor.default_batching().items()
        if endpoint in drivers and endpoint not in executor.requests
    }


class ImportFailed(Exception):
    """An Executor's class could not be imported. See `__cause__`."""


class InitFailed(Exception):
    """An Executor could not be created. See `__cause__`."""


def _around(pea: PeaPlan) -> Surroundings:
    return Surroundings(
        name=pea.name,
        workspace=pea.workspace,
        shard_id=pea.shard,
        shards=pea.shards,
        replica_id=pea.replica,
        replicas=pea.replicas,
        allow_concurrent=pea.allow_concurrent,
    )


def _seat(pea: PeaPlan) -> Seat:
    label = pea.pod if pea.shards == 1 else f"{pea.pod}/shard-{pea.shard}"
    return Seat(pea=pea.name, pod=pea.pod, label=label, inputs=pea.inputs, no_reduce=pea.no_reduce)


def _info(track: Track) -> EndpointInfo:
    """Describe an endpoint: what its first Executor takes, and what its last one returns.

    Who does not say what it takes or returns, or takes columns, can have any Document.
    """
    first, last = track.stops[0].handler, track.stops[-1].handler
    return EndpointInfo(
        input=_schema(first.input_type or Document),
        output=_schema(last.output_type or Document),
        parameters=_schema(first.parameters_type) or None,
        is_generator=track.is_generator,
        is_singleton=first.is_singleton,
        writes=any(stop.handler.writes for stop in track.stops),
        top_k=next((s.handler.top_k for s in reversed(track.stops) if s.handler.top_k), 0),
    )


@cache
def _schema(doc_type: Any) -> Mapping[str, Any]:
    if doc_type is None:
        return {}
    try:
        with warnings.catch_warnings():  # of defaults that are no JSON; they are left out
            warnings.simplefilter("ignore")
            schema: Mapping[str, Any] = doc_type.model_json_schema()
    except Exception:
        return {}  # types of users may hold what has no JSON schema; it is for display alone
    return schema
