"""A picture of a Flow as SVG: nothing is fetched, nothing has to be installed to see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise

from jina_cli.export.layout import Box, Layout, Point, place
from jina_cli.export.scene import LINE_COLOUR, PALETTE, Item, Kind, Line, Scene

_MARGIN = 24.0
_LAYER_GAP = 64.0
_GAP = 28.0
_PADDING = 16.0
_TITLE_HEIGHT = 20.0
_NOTE_HEIGHT = 16.0
_CELL = 14.0
_CELL_GAP = 5.0
_MOST_ROWS = 6
_MOST_COLUMNS = 8
_HEAD_WIDTH = 7.0
_FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"


def draw(scene: Scene, *, vertical: bool) -> str:
    """Return the scene as an SVG document, from left to right or from top to bottom.

    The ground is transparent; boxes have their own, and lines a grey that shows on any.
    """
    sizes = {item.key: _size(item) for item in scene.items}
    layout = place(
        [_box(key, size, vertical) for key, size in sizes.items()],
        [(line.start, line.end) for line in scene.lines],
        layer_gap=_LAYER_GAP,
        gap=_GAP,
    )
    extent = _turned(Point(layout.depth, layout.breadth), vertical)
    width, height = extent.x + 2 * _MARGIN, extent.y + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" font-family="{_FONT}">',
        f"<title>{escape(scene.name)}</title>",
        _ARROW,
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">',
        *(_line(line, layout, sizes, vertical) for line in scene.lines),
        *(p for item in scene.items for p in _item(item, sizes[item.key], layout, vertical)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
    'markerHeight="7" orient="auto-start-reverse">'
    f'<path d="M0 1 L10 5 L0 9 z" fill="{LINE_COLOUR}"/></marker></defs>'
)


def _turned(point: Point, vertical: bool) -> Point:
    return Point(point.y, point.x) if vertical else point


def _box(key: str, size: Point, vertical: bool) -> Box:
    turned = _turned(size, vertical)
    return Box(key=key, depth=turned.x, breadth=turned.y)


def _size(item: Item) -> Point:
    """Return width and height of an item's box."""
    texts = [_text_width(item.title, 14.0, bold=True)]
    texts += [_text_width(note, 11.5) for note in item.notes]
    grid = _grid_size(item)
    height = _TITLE_HEIGHT + _NOTE_HEIGHT * len(item.notes) + grid.y + 1.4 * _PADDING
    return Point(max(*texts, grid.x, 40.0) + 2 * _PADDING, height)


def _text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide a text is; fonts differ, so this is on the wide side."""
    return len(text) * size * (0.64 if bold else 0.58)


def _grid_size(item: Item) -> Point:
    if not item.shards:
        return Point(0.0, 0.0)
    columns, rows = min(item.replicas, _MOST_COLUMNS), min(item.shards, _MOST_ROWS)
    cut = _CELL if item.replicas > columns else 0.0
    head = _HEAD_WIDTH + 2 * _CELL_GAP if item.has_head else 0.0
    width = head + columns * (_CELL + _CELL_GAP) - _CELL_GAP + cut
    height = rows * (_CELL + _CELL_GAP) + (_CELL if item.shards > rows else 0.0)
    return Point(width, height + _CELL_GAP)


def _item(item: Item, size: Point, layout: Layout, vertical: bool) -> Iterator[str]:
    centre = _turned(layout.centres[item.key], vertical)
    left, top = centre.x - size.x / 2, centre.y - size.y / 2
    colours = PALETTE[item.kind]
    radius = min(size.y / 2, 22.0) if item.kind is Kind.EDGE else 9.0
    dashes = ' stroke-dasharray="5 4"' if colours.is_dashed else ""
    yield f'<g fill="{colours.text}" text-anchor="middle">'
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{size.x:.1f}" height="{size.y:.1f}" '
        f'rx="{radius:.1f}" fill="{colours.fill}" stroke="{colours.stroke}" '
        f'stroke-width="1.5"{dashes}/>'
    )
    y = top + 0.7 * _PADDING + 14.0
    yield _text(item.title, centre.x, y, 'font-size="14" font-weight="600"')
    y += 3.0
    for note in item.notes:
        y += _NOTE_HEIGHT
        yield _text(note, centre.x, y, 'font-size="11.5" fill-opacity="0.78"')
    grid = _grid_size(item)
    yield from _grid(item, Point(centre.x - grid.x / 2, y + _CELL_GAP + 4.0))
    yield "</g>"


def _text(text: str, x: float, y: float, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _grid(item: Item, corner: Point) -> Iterator[str]:
    """Draw a row for each shard, a cell for each of its replicas, and a bar for the head."""
    if not item.shards:
        return
    stroke = PALETTE[item.kind].stroke
    columns, rows = min(item.replicas, _MOST_COLUMNS), min(item.shards, _MOST_ROWS)
    x, step = corner.x, _CELL + _CELL_GAP
    if item.has_head:
        height = rows * step - _CELL_GAP
        yield _rect(x, corner.y, _HEAD_WIDTH, height, f'rx="3" fill="{stroke}"')
        x += _HEAD_WIDTH + 2 * _CELL_GAP
        for row in range(rows):
            y = corner.y + row * step + _CELL / 2
            yield f'<path d="M{x - 10:.1f} {y:.1f} h10" stroke="{stroke}" stroke-width="1.5"/>'
    style = f'rx="3.5" fill="#ffffff" stroke="{stroke}" stroke-width="1.3"'
    for row in range(rows):
        for column in range(columns):
            yield _rect(x + column * step, corner.y + row * step, _CELL, _CELL, style)
    if item.replicas > columns:
        yield _text("…", x + columns * step + 4, corner.y + 11, 'font-size="13"')
    if item.shards > rows:
        yield _text("⋮", x + columns * step / 2, corner.y + rows * step + 9, 'font-size="13"')


def _rect(x: float, y: float, width: float, height: float, style: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {style}/>'


def _line(line: Line, layout: Layout, sizes: Mapping[str, Point], vertical: bool) -> str:
    start = _side(line.start, layout, sizes, vertical, side=1)
    end = _side(line.end, layout, sizes, vertical, side=-1)
    points = [start, *layout.ways[line.start, line.end], end]
    dashes = ' stroke-dasharray="5 4"' if line.is_floating else ""
    return (
        f'<path d="{_curve(points, vertical)}" fill="none" stroke="{LINE_COLOUR}" '
        f'stroke-width="1.6"{dashes} marker-end="url(#arrow)"/>'
    )


def _side(
    key: str, layout: Layout, sizes: Mapping[str, Point], vertical: bool, *, side: int
) -> Point:
    """Return the middle of a box's side where lines leave (1) or arrive (-1)."""
    centre, size = layout.centres[key], _turned(sizes[key], vertical)
    return Point(centre.x + side * size.x / 2, centre.y)


def _curve(points: Sequence[Point], vertical: bool) -> str:
    """Return a smooth path that leaves and arrives along the direction of the Flow."""
    first = _turned(points[0], vertical)
    path = [f"M{first.x:.1f} {first.y:.1f}"]
    for one, other in pairwise(points):
        if abs(one.y - other.y) < 0.5:
            end = _turned(other, vertical)
            path.append(f"L{end.x:.1f} {end.y:.1f}")
            continue
        half = (other.x - one.x) / 2
        bends = (Point(one.x + half, one.y), Point(other.x - half, other.y), other)
        path.append("C" + ", ".join(f"{p.x:.1f} {p.y:.1f}" for p in _all(bends, vertical)))
    return " ".join(path)


def _all(points: Sequence[Point], vertical: bool) -> Iterator[Point]:
    return (_turned(point, vertical) for point in points)
