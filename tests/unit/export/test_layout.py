"""Where boxes go: in layers, apart, and with lines that meet none of them."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from jina_cli.export.layout import Box, Layout, place

Graph = tuple[list[Box], list[tuple[str, str]]]


def laid_out(graph: Graph) -> Layout:
    boxes, lines = graph
    return place(boxes, lines, layer_gap=50.0, gap=20.0)


def a_box(key: str, depth: float = 40.0, breadth: float = 20.0) -> Box:
    return Box(key=key, depth=depth, breadth=breadth)


def test_a_chain_is_a_straight_line() -> None:
    layout = laid_out(([a_box("a"), a_box("b"), a_box("c")], [("a", "b"), ("b", "c")]))

    assert {round(point.y, 6) for point in layout.centres.values()} == {10.0}
    assert [layout.centres[key].x for key in "abc"] == [20.0, 110.0, 200.0]
    assert (layout.depth, layout.breadth) == (220.0, 20.0)


def test_lines_that_could_run_side_by_side_do_not_cross() -> None:
    boxes = [a_box(key) for key in ("r", "a", "b", "c", "x", "y", "z")]
    lines = [("r", "a"), ("r", "b"), ("r", "c"), ("a", "z"), ("b", "y"), ("c", "x")]

    centres = laid_out((boxes, lines)).centres

    left = sorted("abc", key=lambda key: centres[key].y)
    right = sorted("xyz", key=lambda key: centres[key].y)
    assert [{"a": "z", "b": "y", "c": "x"}[key] for key in left] == right


@st.composite
def some_graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 10))
    boxes = [
        a_box(str(n), draw(st.floats(10, 200)), draw(st.floats(10, 200))) for n in range(count)
    ]
    pairs = [(str(a), str(b)) for a, b in combinations(range(count), 2)]
    lines = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20)) if pairs else []
    return boxes, lines


@given(some_graphs())
def test_boxes_never_overlap_and_stay_on_the_sheet(graph: Graph) -> None:
    layout = laid_out(graph)

    for box in graph[0]:
        centre = layout.centres[box.key]
        assert centre.x - box.depth / 2 >= -1e-6
        assert centre.x + box.depth / 2 <= layout.depth + 1e-6
        assert centre.y - box.breadth / 2 >= -1e-6
        assert centre.y + box.breadth / 2 <= layout.breadth + 1e-6
    for one, other in combinations(graph[0], 2):
        a, b = layout.centres[one.key], layout.centres[other.key]
        apart_in_x = abs(a.x - b.x) >= (one.depth + other.depth) / 2 + 50.0 - 1e-6
        apart_in_y = abs(a.y - b.y) >= (one.breadth + other.breadth) / 2 + 20.0 - 1e-6
        assert apart_in_x or apart_in_y


@given(some_graphs())
def test_lines_run_forward_and_straight_through_layers(graph: Graph) -> None:
    layout = laid_out(graph)

    for (start, end), way in layout.ways.items():
        places = [layout.centres[start].x, *(point.x for point in way), layout.centres[end].x]
        assert places == sorted(places)
        assert way[0].y == layout.centres[start].y
        assert way[-1].y == layout.centres[end].y
        for entering, leaving in zip(way[1:-1:2], way[2:-1:2], strict=True):
            assert entering.y == leaving.y
