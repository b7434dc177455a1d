"""`jina gateway`: serve a Gateway in front of Executors that run elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jina_cli.cli import options as opt
from jina_cli.cli.settings import settings_of
from jina_cli.cli.staying import Stay, end_on_sigterm, stay_with, variables_of
from jina_cli.errors import UsageError

if TYPE_CHECKING:
    from jina_cli.spec.models import FlowSpec

_START, _END = "start-gateway", "end-gateway"
_BUILT_IN = frozenset({"GRPCGateway", "HTTPGateway", "WebSocketGateway", "CompositeGateway"})
_GRAPH = "--graph-description"
_ADDRESSES = "--deployments-addresses"


def gateway(
    ctx: typer.Context,
    graph_description: Annotated[
        str,
        typer.Option(
            metavar="JSON",
            help="Pod → Pods that take its answer; from start-gateway to end-gateway. Left out, "
            "one after the other.",
        ),
    ] = "{}",
    deployments_addresses: Annotated[
        str, typer.Option(metavar="JSON", help='Pod → addresses: {"a": ["grpc://host:8080"]}.')
    ] = "{}",
    graph_conditions: Annotated[
        str, typer.Option(metavar="JSON", help="Pod → condition on documents that it gets.")
    ] = "{}",
    deployments_metadata: Annotated[
        str, typer.Option(metavar="JSON", help="Pod → gRPC metadata that is sent with each call.")
    ] = "{}",
    deployments_no_reduce: Annotated[
        str, typer.Option(metavar="JSON", help="Pods that get answers apart, unmerged.")
    ] = "[]",
    port: opt.Ports = None,
    protocol: opt.Protocols = None,
    host: opt.Host = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="Of the Flow.")] = "gateway",
    title: Annotated[str, typer.Option(help="Of the HTTP API.")] = "",
    description: Annotated[str, typer.Option(help="Of the HTTP API.")] = "",
    cors: Annotated[bool, typer.Option("--cors", help="Any origin may call by HTTP.")] = False,
    prefetch: Annotated[
        int | None, typer.Option(min=0, help="Requests of one stream at a time.")
    ] = None,
    timeout_send: Annotated[
        int | None, typer.Option(metavar="MS", help="For each call to an Executor.")
    ] = None,
    retries: Annotated[int | None, typer.Option(help="Tries on another address.")] = None,
    ssl_certfile: Annotated[str, typer.Option(metavar="FILE", help="PEM certificate.")] = "",
    ssl_keyfile: Annotated[str, typer.Option(metavar="FILE", help="PEM key.")] = "",
    expose_endpoints: Annotated[
        str, typer.Option(metavar="JSON", help="Endpoint → its own HTTP path and method.")
    ] = "{}",
    env: opt.Env = None,
    dry_run: opt.DryRun = False,
    grace: opt.Grace = "30s",
    ready_fd: opt.ReadyFd = None,
    log_format: opt.LogFormatOption = "text",
    log_dir: opt.LogDir = "",
    no_log_prefix: opt.NoLogPrefix = False,
    uses: Annotated[str, typer.Option(hidden=True)] = "",
    noblock_on_start: opt.IgnoredSwitch = False,
    k8s_namespace: opt.Ignored = None,
    pod_role: opt.Ignored = None,
    runtime_cls: opt.Ignored = None,
    key: opt.Keys = None,
) -> None:
    """Serve a Gateway in front of Executors that run elsewhere, as Jina's manifests start one."""
    from jina_cli.cli.alone import json_of
    from jina_cli.cli.jina_flags import keys_of

    end_on_sigterm()
    os.environ.update(variables_of(env or ()))
    if uses and uses not in _BUILT_IN:
        raise UsageError(f"--uses is {uses!r}, and there are no Gateways of one's own", hint=_HINT)
    pods = pods_of(
        json_of(graph_description, _GRAPH, dict),
        json_of(deployments_addresses, _ADDRESSES, dict),
        {
            "when": json_of(graph_conditions, "--graph-conditions", dict),
            "grpc_metadata": json_of(deployments_metadata, "--deployments-metadata", dict),
            "no_reduce": dict.fromkeys(
                json_of(deployments_no_reduce, "--deployments-no-reduce", list), True
            ),
        },
    )
    said = {
        "host": host,
        "protocol": [each.value for each in protocol or ()],
        "port": port or ([0] * len(protocol) if protocol else None),
        "title": title,
        "description": description,
        "cors": cors or None,
        "prefetch": prefetch,
        "timeout_send": timeout_send,
        "retries": retries,
        "ssl_certfile": ssl_certfile,
        "ssl_keyfile": ssl_keyfile,
        "expose_endpoints": json_of(expose_endpoints, "--expose-endpoints", dict),
        **keys_of(key or ()),
    }
    how = Stay(
        dry_run=dry_run,
        grace=grace,
        ready_fd=ready_fd,
        log_format=log_format,
        log_dir=log_dir,
        no_log_prefix=no_log_prefix,
        instance=str(os.getpid()),
    )
    stay_with(_spec(name, pods, said), how, settings_of(ctx))


_HINT = "the built-in one speaks all protocols: leave it out"


def pods_of(
    graph: Mapping[str, Sequence[str]],
    addresses: Mapping[str, Sequence[str]],
    more: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return the Pods of a graph as a Flow's YAML has them.

    Args:
        graph: Pod → Pods that take its answer. Empty puts all addresses in a chain.
        more: Key of a Pod → Pod → its value.

    Raises:
        UsageError: Graph and addresses do not name the same Pods.
    """
    graph = graph or _chain(list(addresses))
    names = [name for name in _in_order(graph) if name not in (_START, _END)]
    missing = [name for name in names if not addresses.get(name)]
    if missing:
        known = ", ".join(addresses) or "none"
        raise UsageError(f"{_ADDRESSES} has no address of {missing[0]!r}", hint=f"it has {known}")
    strange = [name for name in addresses if name not in names]
    if strange:
        raise UsageError(f"{_GRAPH} has no {strange[0]!r}, and {_ADDRESSES} has")
    return [
        {
            "name": name,
            "external": True,
            "host": list(addresses[name]),
            "needs": [_needed(before) for before, after in graph.items() if name in after],
            # Nobody waits for what leads nowhere.
            "floating": not graph.get(name),
            **{key: values[name] for key, values in more.items() if values.get(name)},
        }
        for name in names
    ]


def _needed(name: str) -> str:
    return "gateway" if name == _START else name


def _chain(names: Sequence[str]) -> dict[str, list[str]]:
    steps = [_START, *names, _END]
    return {before: [after] for before, after in pairwise(steps)}


def _in_order(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return all names, from the start on; those that nothing leads to come last."""
    found: dict[str, None] = {}
    waiting = [_START]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += graph.get(name, ())
    return list(found | dict.fromkeys(graph))


def _spec(name: str, pods: Sequence[Mapping[str, Any]], said: Mapping[str, Any]) -> FlowSpec:
    from jina_cli.cli.alone import laid_over
    from jina_cli.diagnostics import Span
    from jina_cli.orchestrate.draft import new_draft

    draft = new_draft("Flow", {"name": name}, Span("jina gateway", 1, 1, 2))
    draft = laid_over(draft, said)
    for pod in pods:
        draft = draft.with_pod(pod, Span(_GRAPH, 1, 1, 2))
    draft = replace(draft, source=Path(os.path.abspath(name)))
    return draft.checked(os.environ).spec
