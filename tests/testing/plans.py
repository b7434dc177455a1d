"""Flow specs and plans for tests, made without YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jina_cli.plan.expand import expand
from jina_cli.plan.models import Plan
from jina_cli.spec.models import ExecutorSpec, FlowSpec, GatewaySpec, PodSpec


def a_pod(name: str, uses: str = "BaseExecutor", **keys: Any) -> PodSpec:
    """Return a Pod; `needs` may be one name."""
    needs = keys.pop("needs", ())
    needs = (needs,) if isinstance(needs, str) else tuple(needs)
    return PodSpec(name=name, uses=ExecutorSpec(jtype=uses), needs=needs, **keys)


def a_flow(*pods: PodSpec, name: str = "search", **gateway: Any) -> FlowSpec:
    """Return a Flow of `pods`; keywords are the Gateway's."""
    return FlowSpec(
        name=name,
        source=f"{name}.yml",
        gateway=GatewaySpec(**gateway),
        executors=pods,
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
