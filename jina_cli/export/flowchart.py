"""A Flow as a picture: mermaid text for documents, SVG made here for everything else."""

from __future__ import annotations

from collections.abc import Iterator

from jina_cli.export.scene import PALETTE, Item, Kind, Scene, scene_of
from jina_cli.export.svg import draw
from jina_cli.plan.models import Plan

_SHAPES = {
    Kind.EDGE: ('(["', '"])'),
    Kind.JOIN: ('{{"', '"}}'),
    Kind.EXTERNAL: ('[["', '"]]'),
}


def svg(plan: Plan, *, vertical: bool = False) -> str:
    """Return the plan as an SVG document, from left to right or from top to bottom."""
    return draw(scene_of(plan), vertical=vertical)


def mermaid(plan: Plan, *, vertical: bool = False) -> str:
    """Return the plan as a mermaid flowchart, from left to right or from top to bottom."""
    scene = scene_of(plan)
    ids = {item.key: f"n{place}" for place, item in enumerate(scene.items)}
    lines = [f"flowchart {'TB' if vertical else 'LR'}", *_body(scene, ids)]
    return "\n".join(lines) + "\n"


def _body(scene: Scene, ids: dict[str, str]) -> Iterator[str]:
    for item in scene.items:
        opening, closing = _SHAPES.get(item.kind, ('["', '"]'))
        yield f"    {ids[item.key]}{opening}{_label(item)}{closing}:::{item.kind.value}"
    for line in scene.lines:
        arrow = "-.->" if line.is_floating else "-->"
        yield f"    {ids[line.start]} {arrow} {ids[line.end]}"
    for kind in sorted({item.kind for item in scene.items}, key=lambda kind: kind.value):
        yield f"    classDef {kind.value} {_style(kind)}"


def _label(item: Item) -> str:
    parts = [f"<b>{_escaped(item.title)}</b>", *map(_escaped, item.notes)]
    return "<br/>".join(parts)


def _escaped(text: str) -> str:
    """Return text for a quoted label, where mermaid reads `#name;` as a character."""
    names = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;"}
    return "".join(names.get(character, character) for character in text)


def _style(kind: Kind) -> str:
    colours = PALETTE[kind]
    style = f"fill:{colours.fill},stroke:{colours.stroke},color:{colours.text}"
    return style + (",stroke-dasharray:5 4" if colours.is_dashed else "")
