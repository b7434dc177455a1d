"""Where to draw the boxes of a graph: in layers, few crossings, straight where possible.

The usual four steps: a layer for each box (one more than the last it comes from), an order
within each layer (medians, swept to and fro), a place along the layer (as near to its
neighbours as the order allows), and bends for lines that pass a layer. Lines run along x; for
a drawing from top to bottom the caller swaps the sides of the boxes and of the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import mean, median

_SWEEPS = 12
_BEND = 14.0
"""Room across the layer for a line that only passes it."""


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What is to be placed; `depth` is its side along x, `breadth` the one along y."""

    key: str
    depth: float
    breadth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything goes, from (0, 0) on.

    Attributes:
        centres: Of each box, by key.
        ways: For each line the points between its two boxes. It runs straight through the
            layers, and bends between them only, so it never meets a box.
    """

    centres: Mapping[str, Point]
    ways: Mapping[tuple[str, str], tuple[Point, ...]]
    depth: float
    breadth: float


@dataclass(slots=True)
class _Slot:
    """A box, or the bend of a line, in its layer."""

    layer: int
    breadth: float
    before: list[_Slot]
    after: list[_Slot]
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class _Band:
    """What a layer takes of the x axis."""

    start: float
    end: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def place(
    boxes: Sequence[Box],
    lines: Sequence[tuple[str, str]],
    *,
    layer_gap: float,
    gap: float,
) -> Layout:
    """Return a layout of `boxes` joined by `lines`.

    Args:
        boxes: In an order in which no line leads back.
        lines: From key to key, each once.
        layer_gap: Between layers, for the lines to run in.
        gap: Between two boxes of a layer.
    """
    layers = _layers(boxes, lines)
    slots, chains = _slots(boxes, lines, layers)
    rows = _ordered(_rows([*slots.values(), *(s for chain in chains.values() for s in chain)]))
    _settle(rows, gap)
    bands = _bands(boxes, layers, layer_gap)
    return Layout(
        centres={key: Point(bands[slot.layer].middle, slot.y) for key, slot in slots.items()},
        ways={
            line: tuple(_way([slots[line[0]], *chain, slots[line[1]]], bands))
            for line, chain in chains.items()
        },
        depth=bands[-1].end,
        breadth=max(slot.y + slot.breadth / 2 for row in rows for slot in row),
    )


def _layers(boxes: Sequence[Box], lines: Sequence[tuple[str, str]]) -> dict[str, int]:
    layers = {box.key: 0 for box in boxes}
    for box in boxes:
        comes_from = [layers[start] for start, end in lines if end == box.key]
        layers[box.key] = max(comes_from, default=-1) + 1
    return layers


def _slots(
    boxes: Sequence[Box], lines: Sequence[tuple[str, str]], layers: Mapping[str, int]
) -> tuple[dict[str, _Slot], dict[tuple[str, str], list[_Slot]]]:
    """Return a slot for each box, and for each line its bends, all tied to their neighbours."""
    slots = {box.key: _Slot(layers[box.key], box.breadth, [], []) for box in boxes}
    chains: dict[tuple[str, str], list[_Slot]] = {}
    for start, end in lines:
        between = range(layers[start] + 1, layers[end])
        chain = [_Slot(layer, _BEND, [], []) for layer in between]
        for one, other in pairwise([slots[start], *chain, slots[end]]):
            one.after.append(other)
            other.before.append(one)
        chains[start, end] = chain
    return slots, chains


def _rows(slots: Sequence[_Slot]) -> list[list[_Slot]]:
    rows: list[list[_Slot]] = [[] for _ in range(max(slot.layer for slot in slots) + 1)]
    for slot in slots:
        rows[slot.layer].append(slot)
    return rows


def _ordered(rows: list[list[_Slot]]) -> list[list[_Slot]]:
    """Return each layer in the order with the fewest crossings that was come by."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for row in rows if forward else reversed(rows):
            places = {id(s): float(i) for r in rows for i, s in enumerate(r)}
            row.sort(key=lambda s, at=places, f=forward: _wish(s, at, f))  # type: ignore[misc]
        if (crossings := _crossings(rows)) < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _wish(slot: _Slot, places: Mapping[int, float], forward: bool) -> float:
    neighbours = slot.before if forward else slot.after
    return median(places[id(n)] for n in neighbours) if neighbours else places[id(slot)]


def _crossings(rows: Sequence[Sequence[_Slot]]) -> int:
    count = 0
    for row, following in pairwise(rows):
        places = {id(slot): place for place, slot in enumerate(following)}
        ends = [place for slot in row for place in sorted(places[id(n)] for n in slot.after)]
        count += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return count


def _settle(rows: Sequence[Sequence[_Slot]], gap: float) -> None:
    """Give each slot its `y`: near its neighbours, in order, and none above another."""
    for row in rows:
        _pack(row, [0.0] * len(row), gap)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for row in rows if forward else reversed(rows):
            wishes = []
            for slot in row:
                near = (slot.before if forward else slot.after) or [slot]
                wishes.append(mean(neighbour.y for neighbour in near))
            _pack(row, wishes, gap)
    top = min(slot.y - slot.breadth / 2 for row in rows for slot in row)
    for row in rows:
        for slot in row:
            slot.y -= top


def _pack(row: Sequence[_Slot], wishes: Sequence[float], gap: float) -> None:
    """Move slots to their wishes; those that would overlap stay side by side as a block.

    The block stands where its members' wishes are met best on average, which is the least
    squares answer (pool adjacent violators).
    """
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (one.breadth + other.breadth) / 2 + gap)
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=True):
        blocks.append((wish - offset, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2], blocks.pop()
            blocks[-1] = ((a * n + b * m) / (n + m), n + m)
    starts = [start for start, size in blocks for _ in range(size)]
    for slot, start, offset in zip(row, starts, offsets, strict=True):
        slot.y = start + offset


def _bands(boxes: Sequence[Box], layers: Mapping[str, int], layer_gap: float) -> tuple[_Band, ...]:
    depths = [0.0] * (max(layers.values()) + 1)
    for box in boxes:
        depths[layers[box.key]] = max(depths[layers[box.key]], box.depth)
    starts = accumulate((depth + layer_gap for depth in depths), initial=0.0)
    return tuple(_Band(x, x + depth) for x, depth in zip(starts, depths, strict=False))


def _way(slots: Sequence[_Slot], bands: Sequence[_Band]) -> Iterator[Point]:
    """Yield where a line leaves and enters the layers it has to do with."""
    for place, slot in enumerate(slots):
        band = bands[slot.layer]
        if place > 0:
            yield Point(band.start, slot.y)
        if place < len(slots) - 1:
            yield Point(band.end, slot.y)
