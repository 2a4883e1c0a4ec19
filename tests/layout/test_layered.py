"""The layout's promises: nothing overlaps, arrows run down, no line through a box, any size."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.layout.diagram import Diagram, Layout
from autograd_inspect.layout.heights import Sheet
from autograd_inspect.layout.layered import lay_out
from autograd_inspect.layout.levels import make_levels
from autograd_inspect.layout.orders import order_levels

SIZES = st.floats(10, 200).map(lambda size: round(size, 1))


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Random diagrams without cycles: an upper box has the larger number."""
    boxes = draw(st.integers(1, 40))
    pairs = draw(
        st.lists(st.tuples(st.integers(0, boxes - 1), st.integers(0, boxes - 1)), max_size=80)
    )
    arrows = [(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1]]
    return Diagram(
        width=[draw(SIZES) for _ in range(boxes)],
        height=[draw(SIZES) for _ in range(boxes)],
        upper=[upper for upper, _ in arrows],
        lower=[lower for _, lower in arrows],
    )


def diagram_of(boxes: int, arrows: list[tuple[int, int]]) -> Diagram:
    return Diagram([100.0] * boxes, [36.0] * boxes, [a for a, _ in arrows], [b for _, b in arrows])


def chain(boxes: int) -> list[tuple[int, int]]:
    return [(i, i + 1) for i in range(boxes - 1)]


def overlap(diagram: Diagram, layout: Layout, one: int, other: int) -> bool:
    across = abs(layout.x[one] - layout.x[other])
    down = abs(layout.y[one] - layout.y[other])
    return (
        across < (diagram.width[one] + diagram.width[other]) / 2 - 0.2
        and down < (diagram.height[one] + diagram.height[other]) / 2 - 0.2
    )


def inside(diagram: Diagram, layout: Layout, box: int, x: float, y: float) -> bool:
    return (
        abs(x - layout.x[box]) < diagram.width[box] / 2 - 0.2
        and abs(y - layout.y[box]) < diagram.height[box] / 2 - 0.2
    )


def along(route: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Sample the drawn line: straight, or a cubic with vertical tangents."""
    points = []
    for (x0, y0), (x1, y1) in pairwise(route):
        for t in (i / 24 for i in range(25)):
            ease = 3 * t * t - 2 * t**3
            height = 1.5 * t * (1 - t) * (1 - t) + 1.5 * t * t * (1 - t) + t**3
            points.append((x0 + (x1 - x0) * ease, y0 + (y1 - y0) * height))
    return points


@given(diagrams(), st.booleans())
def test_no_two_boxes_overlap(diagram: Diagram, reverse: bool) -> None:
    layout = lay_out(diagram, reverse=reverse)
    boxes = range(len(diagram.width))
    assert len(layout.x) == len(layout.y) == len(boxes)
    assert not [
        (one, other)
        for one in boxes
        for other in boxes
        if one < other and overlap(diagram, layout, one, other)
    ]


@given(diagrams(), st.booleans())
def test_all_lies_within_the_drawing(diagram: Diagram, reverse: bool) -> None:
    layout = lay_out(diagram, reverse=reverse)
    for box, (x, y) in enumerate(zip(layout.x, layout.y, strict=True)):
        assert x - diagram.width[box] / 2 >= -0.2
        assert x + diagram.width[box] / 2 <= layout.width + 0.2
        assert y - diagram.height[box] / 2 >= -0.2
        assert y + diagram.height[box] / 2 <= layout.height + 0.2
    for x, y in (point for route in layout.routes for point in route):
        assert -0.2 <= x <= layout.width + 0.2
        assert -0.2 <= y <= layout.height + 0.2


@given(diagrams(), st.booleans())
def test_every_arrow_runs_down_from_box_to_box(diagram: Diagram, reverse: bool) -> None:
    layout = lay_out(diagram, reverse=reverse)
    assert len(layout.routes) == len(diagram.upper)
    for route, upper, lower in zip(layout.routes, diagram.upper, diagram.lower, strict=True):
        begin, end = (lower, upper) if reverse else (upper, lower)
        heights = [y for _, y in route]
        assert heights == sorted(heights)
        assert route[0][1] == pytest.approx(layout.y[begin] + diagram.height[begin] / 2, abs=0.2)
        assert route[-1][1] == pytest.approx(layout.y[end] - diagram.height[end] / 2, abs=0.2)
        for box, (x, _) in ((begin, route[0]), (end, route[-1])):
            assert abs(x - layout.x[box]) <= diagram.width[box] / 2


@given(diagrams())
def test_no_arrow_crosses_a_box(diagram: Diagram) -> None:
    layout = lay_out(diagram)
    for arrow, route in enumerate(layout.routes):
        strangers = set(range(len(diagram.width))) - {diagram.upper[arrow], diagram.lower[arrow]}
        for x, y in along(route):
            assert not [box for box in strangers if inside(diagram, layout, box, x, y)]


@given(st.integers(2, 8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_cycles_are_drawn_too(boxes: int, pairs: list[tuple[int, int]]) -> None:
    arrows = [(a, b) for a, b in pairs if a != b and a < boxes and b < boxes]
    diagram = diagram_of(boxes, arrows)
    layout = lay_out(diagram)
    for route, (upper, lower) in zip(layout.routes, arrows, strict=True):
        edges = [layout.y[box] + side * 18 for box, side in ((upper, 1), (lower, -1))]
        turned = [layout.y[box] + side * 18 for box, side in ((upper, -1), (lower, 1))]
        assert [route[0][1], route[-1][1]] in (
            pytest.approx(edges, abs=0.2),
            pytest.approx(turned, abs=0.2),
        )


def test_a_chain_is_one_straight_line() -> None:
    layout = lay_out(diagram_of(50, chain(50)))
    assert len(set(layout.x)) == 1
    assert all(len(route) == 2 for route in layout.routes)


def test_the_trunk_is_straight_whatever_hangs_on_it() -> None:
    trunk = chain(30)
    leaves = [(30 + i, i) for i in range(1, 30)]
    skips = [(i, i + 7) for i in range(0, 21, 4)]
    layout = lay_out(diagram_of(60, trunk + leaves + skips))
    assert len(set(layout.x[:30])) == 1


def test_a_leaf_lies_right_above_its_user() -> None:
    arrows = [*chain(20), *((20 + i, i) for i in range(1, 20))]
    layout = lay_out(diagram_of(40, arrows))
    for i in range(1, 20):
        assert layout.y[20 + i] == layout.y[i - 1]


def test_a_second_root_lies_where_it_branches_off() -> None:
    arrows = [*chain(20), (3, 20), (21, 20)]
    layout = lay_out(diagram_of(22, arrows))
    assert layout.y[20] == layout.y[4]
    assert layout.y[21] == layout.y[3]


def test_branches_of_a_long_sum_do_not_make_a_staircase() -> None:
    count = 60
    arrows = chain(count)
    for i in range(4, count):
        first = count + 3 * i
        arrows += [(first + 2, first + 1), (first + 1, first), (first, i)]
    layout = lay_out(diagram_of(count + 3 * count, arrows))
    widest = max(layout.x[i] for i in range(count))
    assert layout.width < 120 * 3 * 4 + 800, widest


def test_knots_are_undone_one_by_one() -> None:
    """Steps of an LSTM: each can be drawn without crossing, but not in the order they come."""
    steps, arrows = 12, []
    for first in range(0, 11 * steps, 11):
        split, f, i, g, o, mf, mi, add, tanh, mul, linear = range(first, first + 11)
        arrows += [(split, f), (split, i), (split, g), (split, o), (f, mf), (i, mi), (g, mi)]
        arrows += [(mf, add), (mi, add), (add, tanh), (o, mul), (tanh, mul), (mul, linear)]
        if first + 11 < 11 * steps:
            arrows += [(linear, first + 11), (add, first + 16)]
    upper, lower = [a for a, _ in arrows], [b for _, b in arrows]
    count, arrow_count = 11 * steps, len(arrows)
    levels = make_levels(
        Sheet(
            width=[100.0] * count,
            height=[36.0] * count,
            upper=upper,
            lower=lower,
            room=[0.0] * arrow_count,
            port=[],
            at=[],
            leaves=[-1] * arrow_count,
            enters=[-1] * arrow_count,
            first=[],
            last=[],
            weight=[1] * count,
            frames=[],
        )
    )
    rows = order_levels(levels)
    crossings = 0
    for above, below in pairwise(rows):
        place = {vertex: i for i, vertex in enumerate(below)}
        ends = [(i, place[v]) for i, u in enumerate(above) for v in levels.below[u]]
        crossings += sum(a[0] < b[0] and a[1] > b[1] for a in ends for b in ends)
    assert crossings <= 2


def test_two_arrows_between_the_same_boxes_are_told_apart() -> None:
    layout = lay_out(diagram_of(2, [(0, 1), (0, 1)]))
    assert layout.routes[0] != layout.routes[1]


def test_nothing_is_laid_out_as_nothing() -> None:
    assert lay_out(diagram_of(0, [])) == Layout([], [], [], 0, 0)
    assert lay_out(diagram_of(1, [])).x == [50.0]


def test_hubs_of_a_deep_graph_get_lanes_not_endless_bends() -> None:
    steps = 3000
    arrows = chain(steps)
    arrows += [(steps + hub, i) for hub in range(6) for i in range(hub, steps, 7)]
    started = time.process_time()
    layout = lay_out(diagram_of(steps + 6, arrows))
    assert time.process_time() - started < 10
    assert sum(map(len, layout.routes)) < 12 * len(arrows)


def test_deep_and_wide_graphs_need_no_stack() -> None:
    limit = sys.getrecursionlimit()
    fans = [(20_000 + i, i // 10) for i in range(10, 5_000)]
    try:
        sys.setrecursionlimit(200)
        layout = lay_out(diagram_of(25_000, [*chain(20_000), *fans]))
    finally:
        sys.setrecursionlimit(limit)
    assert len(layout.x) == 25_000


def test_the_same_in_every_process() -> None:
    code = (
        "import random; from autograd_inspect.layout.diagram import Diagram;"
        "from autograd_inspect.layout.layered import lay_out; r = random.Random(1);"
        "a = [sorted(r.sample(range(200), 2)) for _ in range(400)];"
        "print(lay_out(Diagram([50.0] * 200, [20.0] * 200, *map(list, zip(*a)))))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1
