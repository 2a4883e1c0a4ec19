"""Wrapped pictures, and arrows that lead back up: all in place, all whole, larger on a screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from diagrams import (
    SLACK,
    Rectangle,
    along,
    around,
    box_at,
    diagrams,
    frame_at,
    framed,
    overlap,
    passing,
    random_diagram,
    within,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_inspect.layout.diagram import Diagram, Layout
from autograd_inspect.layout.layered import lay_out

WIDE = 16 / 9
ASPECTS = st.sampled_from([None, 0.5, WIDE])


def scale(layout: Layout) -> float:
    return min(1600 / layout.width, 900 / layout.height)


@st.composite
def with_carried(draw: st.DrawFn) -> Diagram:
    """Random framed diagrams, tall enough to be wrapped, some of their arrows leading back up."""
    diagram = draw(diagrams())
    box = st.integers(0, len(diagram.width) - 1)
    back = draw(st.lists(st.tuples(box, box), max_size=6))
    ends = list(zip(diagram.upper, diagram.lower, [False] * len(diagram.upper), strict=True))
    ends += [(a, b, True) for a, b in back]
    ends = draw(st.permutations(ends))
    return replace(
        diagram,
        upper=[a for a, _, _ in ends],
        lower=[b for _, b, _ in ends],
        carried=[carried for _, _, carried in ends],
    )


def chain(boxes: int, *more: tuple[int, int]) -> list[tuple[int, int]]:
    return [*((i, i + 1) for i in range(boxes - 1)), *more]


@given(with_carried(), st.booleans(), ASPECTS)
@settings(deadline=None)
def test_boxes_and_frames_stay_apart_and_inside(
    diagram: Diagram, reverse: bool, aspect: float | None
) -> None:
    layout = lay_out(diagram, reverse=reverse, aspect=aspect)
    boxes = [box_at(diagram, layout, box) for box in range(len(diagram.width))]
    frames = list(map(frame_at, layout.frames))
    page = (0.0, 0.0, layout.width, layout.height)
    assert all(within(place, page) for place in [*boxes, *frames])
    assert all(within((x, y, x, y), page) for route in layout.routes for x, y in route)
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    for box, place in enumerate(boxes):
        inside = around(diagram, box)
        assert all(within(place, frames[frame]) for frame in inside)
        assert not [f for f in set(range(len(frames))) - inside if overlap(place, frames[f])]
    for frame, outer in enumerate(diagram.parent):
        assert outer < 0 or within(frames[frame], frames[outer])
        for other in range(frame):
            if other != outer and diagram.parent[other] == outer:
                assert not overlap(frames[frame], frames[other])


@given(with_carried(), st.booleans(), ASPECTS)
@settings(deadline=None)
def test_every_arrow_leads_from_below_a_box_to_above_one_and_through_none(
    diagram: Diagram, reverse: bool, aspect: float | None
) -> None:
    layout = lay_out(diagram, reverse=reverse, aspect=aspect)
    boxes = [box_at(diagram, layout, box) for box in range(len(diagram.width))]
    for route, upper, lower in zip(layout.routes, diagram.upper, diagram.lower, strict=True):
        begin, end = (lower, upper) if reverse else (upper, lower)
        (x0, y0), (x1, y1) = route[0], route[-1]
        assert boxes[begin][0] <= x0 <= boxes[begin][2]
        assert y0 == pytest.approx(boxes[begin][3], abs=SLACK)
        assert boxes[end][0] <= x1 <= boxes[end][2]
        assert y1 == pytest.approx(boxes[end][1], abs=SLACK)
        assert route[1][1] >= y0 - SLACK
        assert route[-2][1] <= y1 + SLACK
        for x, y in along(route):
            assert not [
                place
                for place in boxes
                if place[0] + SLACK < x < place[2] - SLACK
                and place[1] + SLACK < y < place[3] - SLACK
            ]


@given(with_carried())
@settings(deadline=None)
def test_carried_arrows_have_no_say_in_where_boxes_go(diagram: Diagram) -> None:
    """Where no frame is left or entered by one; else its border has a place for it."""
    alone = replace(diagram, group=[], parent=[], head=[])
    kept = [arrow for arrow, carried in enumerate(alone.carried) if not carried]
    without = replace(
        alone,
        upper=[alone.upper[arrow] for arrow in kept],
        lower=[alone.lower[arrow] for arrow in kept],
        carried=[],
    )
    one, other = lay_out(alone), lay_out(without)
    shift = one.x[0] - other.x[0]
    # Four coordinates, each off by half a digit at most.
    assert [x - shift for x in one.x] == pytest.approx(other.x, abs=0.2 + 1e-6)
    order = sorted(range(len(one.y)), key=one.y.__getitem__)
    assert all(other.y[a] <= other.y[b] + SLACK for a, b in pairwise(order))


@given(with_carried(), st.booleans())
@settings(deadline=None)
def test_a_wrapped_picture_is_never_smaller_on_the_screen(diagram: Diagram, reverse: bool) -> None:
    wrapped = lay_out(diagram, reverse=reverse, aspect=WIDE)
    assert wrapped == lay_out(diagram, reverse=reverse, aspect=WIDE)
    ribbon = lay_out(diagram, reverse=reverse)
    # Margins and a title are left room for, so a little may be lost against the bare screen.
    assert scale(wrapped) >= 0.95 * scale(ribbon)


def lines(
    diagram: Diagram, layout: Layout, *, across: bool
) -> dict[float, list[tuple[float, float, int]]]:
    """Collect what runs straight across, or down, between the first and last piece of an arrow.

    Gives by their height, or place, the ends of these pieces and the box that the arrow is from.
    """
    found: dict[float, list[tuple[float, float, int]]] = {}
    for route, net in zip(layout.routes, diagram.upper, strict=True):
        for one, other in list(pairwise(route))[1:-1]:
            (x0, y0), (x1, y1) = (one, other) if across else (one[::-1], other[::-1])
            if y0 == y1:
                found.setdefault(y0, []).append((min(x0, x1), max(x0, x1), net))
    return found


def wrapped_ones(count: int) -> Iterator[tuple[Diagram, Layout]]:
    """Give random diagrams that come out in columns, one way or the other."""
    for seed in range(2000, 2300):
        diagram = random_diagram(seed, cycles=False)
        narrow = replace(diagram, width=[width / 3 for width in diagram.width])
        reverse, aspect = bool(seed % 2), (WIDE, 4.0)[seed % 3 > 1]
        layout = lay_out(narrow, reverse=reverse, aspect=aspect)
        if layout != lay_out(narrow, reverse=reverse):
            yield narrow, layout
            count -= 1
        if not count:
            return
    pytest.fail("too few diagrams are wrapped")


def test_arrows_of_different_boxes_keep_apart_in_the_gutters() -> None:
    for diagram, layout in wrapped_ones(40):
        boxes = [box_at(diagram, layout, box) for box in range(len(diagram.width))]
        for across in (False, True):
            for pieces in lines(diagram, layout, across=across).values():
                for (begin, end, net), (other_begin, other_end, other) in combinations(pieces, 2):
                    common = min(end, other_end) - max(begin, other_begin)
                    assert net == other or common < SLACK
        for route in layout.routes:
            assert route[0][1] <= route[1][1] + SLACK
            assert route[-2][1] <= route[-1][1] + SLACK
            for (x0, y0), (x1, y1) in pairwise(route):
                if x0 == x1 or y0 == y1:
                    piece = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
                    assert not [place for place in boxes if touches(place, piece)]


def touches(box: Rectangle, piece: Rectangle) -> bool:
    """Tell whether a straight line leads through a box."""
    return (
        box[0] + SLACK < piece[2]
        and piece[0] < box[2] - SLACK
        and box[1] + SLACK < piece[3]
        and piece[1] < box[3] - SLACK
    )


@pytest.mark.parametrize("reverse", [False, True])
def test_a_long_chain_is_wrapped_into_columns_read_from_left_to_right(reverse: bool) -> None:
    diagram = framed(chain(59), [-1] * 59, [])
    layout = lay_out(diagram, reverse=reverse, aspect=WIDE)
    assert scale(layout) > 0.9 > 3 * scale(lay_out(diagram))
    columns = sorted(set(layout.x))
    assert 4 <= len(columns) <= 8
    read = range(58, -1, -1) if reverse else range(59)
    places = [(layout.x[box], layout.y[box]) for box in read]
    assert places == sorted(places)
    assert len({min(y for x, y in places if x == column) for column in columns}) == 1


@pytest.mark.parametrize("reverse", [False, True])
def test_it_is_cut_where_what_one_box_gives_crosses(reverse: bool) -> None:
    """Blocks of four boxes: what the first gives goes to the second, and around to the last."""
    skips = [(i, i + 3) for i in range(0, 40, 4)]
    layout = lay_out(framed(chain(40, *skips), [-1] * 40, []), reverse=reverse, aspect=WIDE)
    turns = [i for i in range(39) if (layout.y[i + 1] < layout.y[i]) is not reverse]
    assert turns
    assert all(turn % 4 in {0, 3} for turn in turns)


def test_what_fits_is_left_alone() -> None:
    diagram = framed(chain(8), [-1] * 8, [])
    assert lay_out(diagram, aspect=WIDE) == lay_out(diagram)


def test_a_frame_around_everything_is_wrapped_inside() -> None:
    diagram = framed(chain(60), [-1, *[0] * 58, -1], [-1])
    layout = lay_out(diagram, aspect=WIDE)
    assert scale(layout) > 0.8
    assert len({layout.x[box] for box in range(1, 59)}) > 3


def test_blocks_stay_whole_where_the_frame_around_them_can_be_wrapped() -> None:
    group = [-1, *[1 + i // 10 for i in range(60)], -1]
    layout = lay_out(framed(chain(62), group, [-1, *[0] * 6]), aspect=WIDE)
    for block in range(6):
        assert len({layout.x[1 + 10 * block + i] for i in range(10)}) == 1


def test_a_carried_arrow_runs_beside_its_frame_and_inside_it() -> None:
    arrows = chain(6, (4, 1))
    diagram = replace(framed(arrows, [-1, 0, 0, 0, 0, -1], [-1]), carried=[False] * 5 + [True])
    layout = lay_out(diagram)
    assert len(set(layout.x)) == 1
    left, top, right, bottom = frame_at(layout.frames[0])
    route = layout.routes[-1]
    assert all(left < x < right and top < y < bottom for x, y in route)
    assert max(abs(x - layout.x[0]) for x, _ in route) > 50
    assert len(layout.routes[0]) == 2
    assert passing(layout.routes[0], top) == layout.x[0]


def test_carried_arrows_share_a_lane_where_they_can() -> None:
    arrows = chain(8, (2, 1), (6, 5), (4, 0))
    diagram = replace(framed(arrows, [-1] * 8, []), carried=[False] * 7 + [True] * 3)
    layout = lay_out(diagram)
    lanes = [max(x for x, _ in route) for route in layout.routes[7:]]
    assert lanes[0] == lanes[1] < lanes[2]


def test_carried_arrows_past_the_same_level_lie_side_by_side() -> None:
    arrows = chain(8, (3, 1), (6, 3))
    diagram = replace(framed(arrows, [-1] * 8, []), carried=[False] * 7 + [True] * 2)
    one, other = (max(x for x, _ in route) for route in lay_out(diagram).routes[7:])
    assert other - one == 14


@pytest.mark.parametrize("reverse", [False, True])
def test_a_carried_arrow_leads_back_through_the_gutters(reverse: bool) -> None:
    arrows = chain(60, (54, 5))
    diagram = replace(framed(arrows, [-1] * 60, []), carried=[False] * 59 + [True])
    layout = lay_out(diagram, reverse=reverse, aspect=WIDE)
    columns = sorted(set(layout.x))
    assert len(columns) > 3
    route = layout.routes[-1]
    lanes = [x for (x, y), (other, z) in pairwise(route) if x == other and abs(z - y) > 500]
    assert len(lanes) > len(columns)
    # It never lies on the chain's own way, which passes the same gutters.
    trunk = {x for one in layout.routes[:-1] for x, _ in one}
    assert not trunk & set(lanes)
