"""From a plan to Executors that run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jina_cli.executors.endpoints import Batching
from jina_cli.executors.executor import Executor, Surroundings, batchings_of, create
from jina_cli.executors.jina_names import install
from jina_cli.executors.registry import load
from jina_cli.lifeline import PhaseSaid
from jina_cli.plan.models import ExecutorPlan, PeaPlan
from jina_cli.runtime.host import Host
from jina_cli.runtime.steps import Step, Track
from jina_cli.runtime.worker import Seat, Worker
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
        first: Exception | None = None
        for executor in reversed(self.executors):
            try:
                executor.close()
            except Exception as error:
                first = first or error
        if first is not None:
            raise first


def load_executors(wanted: ExecutorPlan, pea: PeaPlan, say: Callable[[PhaseSaid], None]) -> Loaded:
    """Import and create what `wanted` names, for the place that `pea` has.

    Raises:
        ImportFailed: The class could not be imported; what was raised is its cause.
        InitFailed: It could not be created; what was raised is its cause.
    """
    plans = wanted.components or (wanted,)
    say(PhaseSaid(phase="import"))
    try:
        install()
        classes = [load(plan) for plan in plans]
    except Exception as error:
        raise ImportFailed(wanted.uses) from error
    say(PhaseSaid(phase="init"))
    try:
        pairs = zip(classes, plans, strict=True)
        executors = tuple(create(cls, plan.with_, _around(plan, pea)) for cls, plan in pairs)
        steps = [Step.of(executor) for executor in executors]
        batching: dict[str, Batching] = {}
        for executor in executors:
            batching.update(batchings_of(executor))
    except Exception as error:
        raise InitFailed(wanted.uses) from error
    host = Host(Worker(_seat(pea), steps), batching, allow_concurrent=pea.allow_concurrent)
    return Loaded(host, executors)


class ImportFailed(Exception):
    """An Executor's class could not be imported. See `__cause__`."""


class InitFailed(Exception):
    """An Executor could not be created. See `__cause__`."""


def _around(plan: ExecutorPlan, pea: PeaPlan) -> Surroundings:
    return Surroundings(
        name=pea.pod,
        workspace=pea.workspace,
        shard_id=pea.shard,
        shards=pea.shards,
        replica_id=pea.replica,
        replicas=pea.replicas,
        metas=plan.metas,
        requests=plan.requests,
        dynamic_batching=plan.dynamic_batching,
    )


def _seat(pea: PeaPlan) -> Seat:
    label = pea.pod if pea.shards == 1 else f"{pea.pod}/shard-{pea.shard}"
    return Seat(pea=pea.name, pod=pea.pod, label=label, inputs=pea.inputs, no_reduce=pea.no_reduce)


def _info(track: Track) -> EndpointInfo:
    """Describe an endpoint: what its first Executor takes, and what its last one returns."""
    first, last = track.stops[0].handler, track.stops[-1].handler
    return EndpointInfo(
        input=_schema(first.input_type),
        output=_schema(last.output_type),
        parameters=_schema(first.parameters_type) or None,
        is_generator=track.is_generator,
        is_singleton=first.is_singleton,
    )


def _schema(doc_type: Any) -> Mapping[str, Any]:
    if doc_type is None:
        return {}
    try:
        schema: Mapping[str, Any] = doc_type.model_json_schema()
    except Exception:
        return {}  # types of users may hold what has no JSON schema; it is for display alone
    return schema
