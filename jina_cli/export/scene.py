"""What a picture of a plan shows, before anyone says how it is drawn."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jina_cli.plan.models import GatewayPlan, Plan
from jina_cli.plan.pods import Pod, pods_of, polling_text
from jina_cli.spec.models import GATEWAY

START = "<gateway>"
END = "<answer>"
_MOST_ADDRESSES = 2


class Kind(enum.Enum):
    """What an item is, and the name of its style."""

    EDGE = "edge"  # where requests come in or answers go out
    POD = "pod"
    JOIN = "join"  # merges the answers of several
    EXTERNAL = "external"  # somebody else runs it
    FLOATING = "floating"  # nobody waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """Of an item. Boxes bring their own ground, so that they read on light and on dark."""

    fill: str
    stroke: str
    text: str
    is_dashed: bool = False


PALETTE: Mapping[Kind, Colours] = {
    Kind.EDGE: Colours(fill="#2c6e63", stroke="#2c6e63", text="#ffffff"),
    Kind.POD: Colours(fill="#eaf1fb", stroke="#4a78b5", text="#1d2733"),
    Kind.JOIN: Colours(fill="#f3ecfa", stroke="#8a63b0", text="#1d2733"),
    Kind.EXTERNAL: Colours(fill="#fdf3e1", stroke="#c08a2d", text="#1d2733"),
    Kind.FLOATING: Colours(fill="#f2f4f6", stroke="#8593a1", text="#1d2733", is_dashed=True),
}
LINE_COLOUR = "#8593a1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A box of the picture.

    Attributes:
        key: Unique; Pods have their name.
        title: In bold.
        notes: Below the title, one line each.
        shards: Rows of its processes; 0 where none are shown.
        replicas: Processes in a row.
        has_head: Whether a head stands before its rows.
    """

    key: str
    kind: Kind
    title: str
    notes: tuple[str, ...] = ()
    shards: int = 0
    replicas: int = 0
    has_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An arrow from one item to another; nobody waits at the end of a floating one."""

    start: str
    end: str
    is_floating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All of the picture; items in an order in which no line leads back."""

    name: str
    items: tuple[Item, ...]
    lines: tuple[Line, ...]


def scene_of(plan: Plan) -> Scene:
    """Return what there is to see of a plan."""
    assert plan.gateway.gateway is not None, "the Gateway's Pea has a Gateway's plan"
    pods = pods_of(plan)
    start = Item(
        key=START, kind=Kind.EDGE, title=GATEWAY, notes=tuple(_doors(plan.gateway.gateway))
    )
    answer = Item(key=END, kind=Kind.EDGE, title="answer")
    return Scene(
        name=plan.flow,
        items=(start, *(_item(pod) for pod in pods), answer),
        lines=tuple(_lines(pods)),
    )


def _doors(gateway: GatewayPlan) -> Iterator[str]:
    for listener in gateway.listeners:
        yield f"{listener.protocol.value} :{listener.port or 'any'}"


def _item(pod: Pod) -> Item:
    is_many = len(pod.workers) > 1 or pod.head is not None
    return Item(
        key=pod.name,
        kind=_kind(pod),
        title=pod.title,
        notes=tuple(_notes(pod)),
        shards=pod.shards if is_many else 0,
        replicas=pod.replicas if is_many else 0,
        has_head=pod.head is not None,
    )


def _kind(pod: Pod) -> Kind:
    if pod.route.external:
        return Kind.EXTERNAL
    if pod.route.floating:
        return Kind.FLOATING
    return Kind.JOIN if len(pod.needs) > 1 else Kind.POD


def _notes(pod: Pod) -> Iterator[str]:
    if pod.classes:
        yield " + ".join(pod.classes)
    if pod.route.external:
        yield from pod.route.addresses[:_MOST_ADDRESSES]
        if (more := len(pod.route.addresses) - _MOST_ADDRESSES) > 0:
            yield f"and {more} more"
    if pod.is_choosy:
        yield "only some documents"
    if len(pod.workers) > 1:
        yield _counts(pod)
    if polling := polling_text(pod):
        yield polling


def _counts(pod: Pod) -> str:
    replicas = f"{pod.replicas} replicas"
    if pod.shards == 1:
        return replicas
    return f"{pod.shards} shards" + (f" × {replicas}" if pod.replicas > 1 else "")


def _lines(pods: Sequence[Pod]) -> Iterator[Line]:
    needed: set[str] = set()
    for pod in pods:
        for need in pod.needs:
            start = START if need == GATEWAY else need
            yield Line(start=start, end=pod.name, is_floating=pod.route.floating)
        if not pod.route.floating:
            needed.update(pod.needs)
    for pod in pods:
        if not pod.route.floating and pod.name not in needed:
            yield Line(start=pod.name, end=END)
