"""Flow specs and plans for tests, made without YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jina_cli.plan.expand import expand
from jina_cli.plan.models import Plan
from jina_cli.spec.models import ExecutorSpec, FlowSpec, GatewaySpec, PodSpec
from jina_cli.spec.topology import Step, flaws, place


def a_pod(name: str, uses: str = "BaseExecutor", **keys: Any) -> PodSpec:
    """Return a Pod; `needs` may be one name."""
    needs = keys.pop("needs", ())
    needs = (needs,) if isinstance(needs, str) else tuple(needs)
    return PodSpec(name=name, uses=ExecutorSpec(jtype=uses), needs=needs, **keys)


def a_flow(*pods: PodSpec, name: str = "search", **gateway: Any) -> FlowSpec:
    """Return a Flow of `pods`, their needs worked out; keywords are the Gateway's."""
    return FlowSpec(
        name=name,
        source=f"{name}.yml",
        gateway=GatewaySpec(**gateway),
        executors=in_place(pods),
    )


def in_place(pods: Sequence[PodSpec]) -> tuple[PodSpec, ...]:
    """Return the Pods with their needs and `method` worked out, as a spec has them."""
    steps = [
        Step(name=p.name, needs=p.needs or None, method=p.method, floating=p.floating) for p in pods
    ]
    placed = place(steps)
    assert not flaws(steps, placed), "Flows for tests of plans are right"
    return tuple(
        replace(pod, needs=at.needs, floating=at.floating)
        for pod, at in zip(pods, placed, strict=True)
    )


def planned(flow: FlowSpec, environ: Mapping[str, str] | None = None) -> Plan:
    """Return the plan of `flow` in folders that nobody needs to make."""
    return expand(
        flow,
        run_dir=Path("/run/jina"),
        log_dir=Path("/var/log/jina"),
        workspace=Path("/work"),
        environ=environ or {},
    )
