"""What can be wrong with a Flow that only planning it shows: found all at once, with its place.

That names, needs and addresses are right is the spec's promise and not checked again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jina_cli.diagnostics import Diagnostic
from jina_cli.plan.gpus import VISIBLE, count_devices, deal, is_round_robin
from jina_cli.spec.models import FlowSpec


def problems_of(flow: FlowSpec, environ: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return all that is wrong with `flow`, sorted by place; nothing if it can be planned."""
    found = _gpu_problems(flow, environ)
    return tuple(sorted(found, key=lambda d: (d.span.path, d.span.line, d.span.column)))


def _gpu_problems(flow: FlowSpec, environ: Mapping[str, str]) -> Iterator[Diagnostic]:
    devices = count_devices(environ)
    for index, pod in enumerate(flow.executors):
        value = {**flow.env, **pod.env}.get(VISIBLE, environ.get(VISIBLE, ""))
        if not is_round_robin(value):
            continue
        try:
            deal(value, pod.replicas, devices)
        except ValueError as error:
            pointer = f"/executors/{index}/env/{VISIBLE}"
            hint = "write RR for all GPUs, RR0:2 for a slice, RR1,3 for some"
            yield _problem("JNA211", f"{VISIBLE}: {error}", hint, flow, pointer)


def _problem(code: str, message: str, hint: str | None, flow: FlowSpec, pointer: str) -> Diagnostic:
    path = re.sub(r"/(\d+)", r"[\1]", pointer).replace("/", ".").removeprefix(".")
    return Diagnostic(code=code, message=message, hint=hint, span=flow.span_of(pointer), path=path)
