"""The OpenAPI description of a Flow, asked of one that runs."""

from __future__ import annotations

import json
import os
from dataclasses import replace

from jina_cli.cli.settings import Settings
from jina_cli.client.address import Scheme, target_of
from jina_cli.client.http_transport import HttpTransport
from jina_cli.client.transport import Settings as TransportSettings
from jina_cli.errors import RequestFailed, UsageError
from jina_cli.orchestrate.planning import planned
from jina_cli.spec.load import load_flow
from jina_cli.spec.models import FlowSpec
from jina_cli.supervise.sinks import Quiet
from jina_cli.supervise.supervisor import supervised
from jina_cli.vocabulary import Protocol

_PATH = "/openapi.json"


async def description_of(config: str, settings: Settings, *, lenient: bool) -> str:
    """Return the description of the Flow in a file, which is started for as long as that takes.

    Raises:
        JinaError: It cannot be read or started.
    """
    spec = load_flow(config, env=os.environ, lenient=lenient).spec
    own = str(os.getpid())
    plan = planned(_local(spec), environ=os.environ, project=settings.project, instance=own)
    async with supervised(plan, sink=Quiet()) as flow:
        return await description_at(f"http://{flow.addresses['http']}")


def _local(spec: FlowSpec) -> FlowSpec:
    """Return a Flow that serves HTTP to this machine alone, at any port."""
    gateway = replace(spec.gateway, host="127.0.0.1", port=(0,), protocol=(Protocol.HTTP,))
    return replace(spec, gateway=replace(gateway, ssl_certfile="", ssl_keyfile=""))


async def description_at(url: str) -> str:
    """Return what a Gateway that speaks HTTP says of itself, indented.

    Raises:
        Unreachable: Nobody answers.
        UsageError: `url` is of another protocol.
        RequestFailed: There is no description.
    """
    target = target_of(url if "://" in url else f"http://{url}")
    if target.scheme is not Scheme.HTTP:
        raise UsageError(f"{url} does not speak HTTP", hint="give http://HOST:PORT")
    transport = HttpTransport(target, TransportSettings())
    try:
        answer = await transport.get(_PATH)
    finally:
        await transport.close()
    if answer.status != 200:
        text = f"{url} answers {_PATH} with {answer.status}"
        raise RequestFailed(text, status="NOT_FOUND")
    return json.dumps(json.loads(answer.body), indent=2, ensure_ascii=False) + "\n"
