"""A plan as a tree of text: Pods in the order they run, and under each its processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jina_cli.plan.gpus import VISIBLE
from jina_cli.plan.models import GatewayPlan, Listener, PeaPlan, Plan
from jina_cli.plan.pods import Pod, class_name, pods_of, polling_text
from jina_cli.vocabulary import PeaRole

_GAP = 2


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the tree: its label with its branches, and what is said beside it.

    `cells` of Peas are aligned below each other; a line with one cell is free text.
    """

    label: str
    cells: tuple[str, ...]


def render(plan: Plan) -> str:
    """Return the plan as text, without colours and without a line end at the end."""
    gateway = plan.gateway.gateway
    assert gateway is not None, "the Gateway's Pea has a Gateway's plan"
    pods = pods_of(plan)
    rows = [_Row(plan.gateway.name, (_gateway_text(gateway),))]
    for place, pod in enumerate(pods):
        rows += _pod_rows(pod, plan, is_last=place == len(pods) - 1)
    return "\n".join([*_head_lines(plan, pods), "", *_aligned(rows)])


def _head_lines(plan: Plan, pods: Sequence[Pod]) -> Iterator[str]:
    processes = len(plan.peas) + 1
    count = sum(1 + len(pod.route.fused) for pod in pods)
    pod_count = f"{count} Pod" + ("s" if count != 1 else "")
    yield f"{plan.flow}: {pod_count}, {processes} processes, from {plan.source}"
    yield f"  sockets    {plan.run_dir}"
    yield f"  logs       {plan.log_dir}"
    yield f"  workspace  {plan.workspace}"


def _gateway_text(gateway: GatewayPlan) -> str:
    places = [_listener_text(listener) for listener in gateway.listeners]
    return ", ".join([*places, f"native {_socket(gateway.native_address)}"])


def _listener_text(listener: Listener) -> str:
    port = str(listener.port) if listener.port else "(any free port)"
    return f"{listener.protocol.value} {listener.host}:{port}"


def _pod_rows(pod: Pod, plan: Plan, *, is_last: bool) -> Iterator[_Row]:
    branch, trunk = ("└── ", "    ") if is_last else ("├── ", "│   ")
    yield _Row(branch + pod.title, ("; ".join(_pod_facts(pod)),))
    for place, pea in enumerate(pod.peas):
        twig = "└── " if place == len(pod.peas) - 1 else "├── "
        yield _Row(trunk + twig + pea.name, tuple(_pea_cells(pea, plan)))


def _pod_facts(pod: Pod) -> Iterator[str]:
    if pod.classes:
        yield " + ".join(pod.classes)
    if pod.route.external:
        yield "external " + ", ".join(pod.route.addresses)
    yield "needs " + ", ".join(pod.waits_for)
    if pod.route.floating:
        yield "floating"
    if pod.is_choosy:
        yield "only some documents"
    if polling := polling_text(pod):
        yield f"polling {polling}"


def _pea_cells(pea: PeaPlan, plan: Plan) -> Iterator[str]:
    yield _socket(pea.address)
    if pea.role is PeaRole.HEAD:
        yield " and ".join(_around(pea)) or "spreads and merges"
    else:
        folders = (pea.workspace, *(each.workspace for each in pea.fused))
        yield ", ".join(_workspace(folder, plan.workspace) for folder in folders)
    notes = [f"GPU {pea.env[VISIBLE] or 'none'}"] if VISIBLE in pea.env else []
    if not pea.forkable:
        notes.append("own interpreter")
    if pea.install_requirements:
        notes.append("pip installs its requirements")
    if pea.telemetry.port_monitoring:
        notes.append(f"metrics at {pea.telemetry.port_monitoring}")
    yield ", ".join(notes)


def _around(pea: PeaPlan) -> Iterator[str]:
    if pea.head is not None and pea.head.before is not None:
        yield f"before: {class_name(pea.head.before.uses)}"
    if pea.head is not None and pea.head.after is not None:
        yield f"after: {class_name(pea.head.after.uses)}"


def _socket(address: str) -> str:
    return Path(address).name if address.startswith("unix:") else address


def _workspace(folder: str, root: str) -> str:
    path = Path(folder)
    return str(path.relative_to(root)) if path.is_relative_to(root) else folder


def _aligned(rows: Sequence[_Row]) -> Iterator[str]:
    label_width = max(len(row.label) for row in rows) + _GAP
    peas = [row.cells for row in rows if len(row.cells) > 1]
    widths = [max(len(cell) for cell in column) + _GAP for column in zip(*peas, strict=True)]
    for row in rows:
        if len(row.cells) == 1:
            text = row.cells[0]
        else:
            text = "".join(c.ljust(w) for c, w in zip(row.cells, widths, strict=True))
        yield f"{row.label:<{label_width}}{text}".rstrip()
