"""What a layout with frames promises: all in its frame, nothing else there, every arrow whole."""

from __future__ import annotations

import sys
from itertools import combinations

import pytest
from diagrams import (
    SLACK,
    along,
    around,
    box_at,
    diagrams,
    frame_at,
    framed,
    overlap,
    passing,
    within,
)
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.layout.diagram import Diagram
from autograd_inspect.layout.layered import lay_out


@given(diagrams(), st.booleans())
def test_a_frame_holds_its_own_and_nothing_else(diagram: Diagram, reverse: bool) -> None:
    layout = lay_out(diagram, reverse=reverse)
    frames = list(map(frame_at, layout.frames))
    assert len(frames) == len(diagram.parent)
    boxes = [box_at(diagram, layout, box) for box in range(len(diagram.width))]
    for box, place in enumerate(boxes):
        inside = around(diagram, box)
        assert all(within(place, frames[frame]) for frame in inside)
        assert not [f for f in set(range(len(frames))) - inside if overlap(place, frames[f])]
    for one, other in combinations(range(len(boxes)), 2):
        assert not overlap(boxes[one], boxes[other])
    for frame, outer in enumerate(diagram.parent):
        assert outer < 0 or within(frames[frame], frames[outer])
        for other in range(frame):
            if other != outer and diagram.parent[other] == outer:
                assert not overlap(frames[frame], frames[other])


@given(diagrams(), st.booleans())
def test_every_arrow_runs_down_from_box_to_box(diagram: Diagram, reverse: bool) -> None:
    layout = lay_out(diagram, reverse=reverse)
    assert len(layout.routes) == len(diagram.upper)
    for route, upper, lower in zip(layout.routes, diagram.upper, diagram.lower, strict=True):
        begin, end = (lower, upper) if reverse else (upper, lower)
        assert len(route) > 1
        heights = [y for _, y in route]
        assert heights == sorted(heights)
        left, _, right, bottom = box_at(diagram, layout, begin)
        assert left <= route[0][0] <= right
        assert route[0][1] == pytest.approx(bottom, abs=SLACK)
        left, top, right, _ = box_at(diagram, layout, end)
        assert left <= route[-1][0] <= right
        assert route[-1][1] == pytest.approx(top, abs=SLACK)


@given(diagrams(), st.booleans())
def test_no_arrow_crosses_a_box_or_enters_a_frame_it_has_no_business_in(
    diagram: Diagram, reverse: bool
) -> None:
    layout = lay_out(diagram, reverse=reverse)
    frames = list(map(frame_at, layout.frames))
    for route, upper, lower in zip(layout.routes, diagram.upper, diagram.lower, strict=True):
        strangers = [
            box_at(diagram, layout, box)
            for box in range(len(diagram.width))
            if box not in {upper, lower}
        ]
        home = around(diagram, upper) | around(diagram, lower)
        strangers += [place for frame, place in enumerate(frames) if frame not in home]
        for x, y in along(route):
            assert not [
                place
                for place in strangers
                if place[0] + SLACK < x < place[2] - SLACK
                and place[1] + SLACK < y < place[3] - SLACK
            ]


@given(diagrams(), st.booleans())
def test_all_lies_within_the_drawing_and_labels_in_their_frames(
    diagram: Diagram, reverse: bool
) -> None:
    layout = lay_out(diagram, reverse=reverse)
    page = (0.0, 0.0, layout.width, layout.height)
    assert all(within(frame_at(frame), page) for frame in layout.frames)
    for x, y in (point for route in layout.routes for point in route):
        assert within((x, y, x, y), page)
    for number, (frame, (width, height)) in enumerate(
        zip(layout.frames, diagram.head, strict=True)
    ):
        label = (frame.label, frame.y, frame.label + width, frame.y + height)
        assert within(label, frame_at(frame))
        for box in range(len(diagram.width)):
            assert not overlap(label, box_at(diagram, layout, box))
        for other, place in enumerate(layout.frames):
            if diagram.parent[other] == number:
                assert not overlap(label, frame_at(place))


@given(st.data())
def test_arrows_that_close_a_cycle_of_frames_are_drawn_too(data: st.DataObject) -> None:
    boxes, frames = 8, 3
    numbers = st.integers(0, boxes - 1)
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), max_size=20))
    arrows = [(a, b) for a, b in pairs if a != b]
    group = data.draw(st.lists(st.integers(-1, frames - 1), min_size=boxes, max_size=boxes))
    parent = [data.draw(st.integers(-1, frame - 1)) for frame in range(frames)]
    diagram = framed(arrows, group, parent)
    layout = lay_out(diagram)
    for route, ends in zip(layout.routes, arrows, strict=True):
        for box, (x, y), side in zip(ends, (route[0], route[-1]), (1, -1), strict=True):
            assert abs(x - layout.x[box]) <= 50 + SLACK
            assert abs(y - layout.y[box]) == pytest.approx(18, abs=SLACK), side


def test_the_main_line_is_straight_through_all_frames() -> None:
    """Each frame: what comes in and a weight go into the box that goes out."""
    layers, arrows, group = 6, [], []
    for layer in range(layers):
        weight, view, box = 3 * layer, 3 * layer + 1, 3 * layer + 2
        arrows += [(weight, view), (view, box)]
        if layer:
            arrows.append((box - 3, box))
        group += [layer] * 3
    layout = lay_out(framed(arrows, group, [-1] * layers))
    assert len({layout.x[3 * layer + 2] for layer in range(layers)}) == 1
    trunk = [route for route, (a, b) in zip(layout.routes, arrows, strict=True) if a == b - 3]
    assert all(len(route) == 2 for route in trunk)
    assert len({frame.width for frame in layout.frames[1:]}) == 1


def test_frames_side_by_side_share_a_level() -> None:
    """Two frames feed a box, one of them by a longer way."""
    arrows = [(0, 1), (1, 2), (2, 6), (3, 4), (4, 5), (5, 7), (7, 8), (8, 6), (9, 0), (9, 3)]
    layout = lay_out(framed(arrows, [0, 0, 0, 1, 1, 1, -1, -1, -1, -1], [-1, -1]))
    assert layout.frames[0].y == layout.frames[1].y


def test_all_arrows_of_a_box_enter_a_frame_at_one_place() -> None:
    layout = lay_out(framed([(0, 1), (0, 2), (1, 3), (2, 3)], [-1, 0, 0, 0], [-1]))
    places = {passing(route, layout.frames[0].y) for route in layout.routes[:2]}
    assert len(places) == 1


def test_the_label_keeps_clear_of_what_enters_where_it_can() -> None:
    diagram = framed([(0, 1), (2, 1)], [-1, 0, 0], [-1])
    layout = lay_out(diagram)
    frame = layout.frames[0]
    entered = passing(layout.routes[0], frame.y)
    assert not frame.label - 5 < entered < frame.label + 60 + 5


def test_frames_a_hundred_deep_and_without_boxes() -> None:
    limit = sys.getrecursionlimit()
    depth = 100
    try:
        sys.setrecursionlimit(200)
        layout = lay_out(framed([(0, 1)], [-1, depth - 1], [*range(-1, depth - 1)]))
    finally:
        sys.setrecursionlimit(limit)
    assert len(layout.frames) == depth
    assert len(layout.routes[0]) == 2
    empty = lay_out(framed([], [-1], [-1, 0]))
    assert within(frame_at(empty.frames[1]), frame_at(empty.frames[0]))


def test_no_frames_no_difference() -> None:
    arrows = [(3, 1), (3, 2), (1, 0), (2, 0), (3, 0)]
    with_none = framed(arrows, [-1] * 4, [])
    without = Diagram(with_none.width, with_none.height, with_none.upper, with_none.lower)
    assert lay_out(with_none) == lay_out(without)
