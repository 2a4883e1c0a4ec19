"""Random diagrams with frames, and what the tests of layouts ask of their places."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import strategies as st

from autograd_inspect.layout.diagram import Diagram, Frame, Layout

SLACK = 0.2
SIZES = st.floats(10, 200).map(lambda size: round(size, 1))
Rectangle = tuple[float, float, float, float]


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Random diagrams whose frames hold what lies next to each other in an order of the boxes."""
    boxes = draw(st.integers(1, 30))
    order = draw(st.permutations(range(boxes)))
    place = {box: i for i, box in enumerate(order)}
    numbers = st.integers(0, boxes - 1)
    pairs = draw(st.lists(st.tuples(numbers, numbers), max_size=60))
    arrows = [sorted(pair, key=place.__getitem__) for pair in pairs if pair[0] != pair[1]]
    spans: list[tuple[int, int]] = []
    for pair in draw(st.lists(st.tuples(numbers, numbers), max_size=10)):
        first, last = min(pair), max(pair)
        if all(last < a or b < first or (a <= first and last <= b) for a, b in spans):
            spans.append((first, last))  # beside or inside all there are

    def innermost(first: int, last: int, among: int) -> int:
        inside = [i for i, (a, b) in enumerate(spans[:among]) if a <= first and last <= b]
        return inside[-1] if inside else -1

    return Diagram(
        width=[draw(SIZES) for _ in range(boxes)],
        height=[draw(SIZES) for _ in range(boxes)],
        upper=[upper for upper, _ in arrows],
        lower=[lower for _, lower in arrows],
        group=[innermost(place[box], place[box], len(spans)) for box in range(boxes)],
        parent=[innermost(*span, i) for i, span in enumerate(spans)],
        head=[(draw(SIZES), 14.0) for _ in spans],
    )


def box_at(diagram: Diagram, layout: Layout, box: int) -> Rectangle:
    x, y = layout.x[box], layout.y[box]
    across, down = diagram.width[box] / 2, diagram.height[box] / 2
    return x - across, y - down, x + across, y + down


def frame_at(frame: Frame) -> Rectangle:
    return frame.x, frame.y, frame.x + frame.width, frame.y + frame.height


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > SLACK
        and min(one[3], other[3]) - max(one[1], other[1]) > SLACK
    )


def within(inner: Rectangle, outer: Rectangle) -> bool:
    return (
        inner[0] >= outer[0] - SLACK
        and inner[1] >= outer[1] - SLACK
        and inner[2] <= outer[2] + SLACK
        and inner[3] <= outer[3] + SLACK
    )


def around(diagram: Diagram, box: int) -> set[int]:
    """Give all frames around a box."""
    found = set()
    frame = diagram.group[box] if diagram.group else -1
    while frame >= 0:
        found.add(frame)
        frame = diagram.parent[frame]
    return found


def along(route: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Sample the drawn line: straight, or a cubic with vertical tangents."""
    points = []
    for (x0, y0), (x1, y1) in pairwise(route):
        for t in (i / 24 for i in range(25)):
            ease = 3 * t * t - 2 * t**3
            height = 1.5 * t * (1 - t) * (1 - t) + 1.5 * t * t * (1 - t) + t**3
            points.append((x0 + (x1 - x0) * ease, y0 + (y1 - y0) * height))
    return points


def passing(route: list[tuple[float, float]], border: float) -> float:
    """Give the place where a route passes a border, which it does straight."""
    return next(x0 for (x0, y0), (x1, y1) in pairwise(route) if y0 <= border <= y1 and x0 == x1)


def framed(arrows: list[tuple[int, int]], group: list[int], parent: list[int]) -> Diagram:
    return Diagram(
        width=[100.0] * len(group),
        height=[36.0] * len(group),
        upper=[a for a, _ in arrows],
        lower=[b for _, b in arrows],
        group=group,
        parent=parent,
        head=[(60.0, 14.0)] * len(parent),
    )


def random_diagram(seed: int, *, cycles: bool = True) -> Diagram:
    """Make a random diagram: frames, labels, cycles, arrows that lead back up, most in one line."""
    draw = random.Random(seed)
    boxes = draw.randint(1, 40)
    place = draw.sample(range(boxes), boxes)
    ends: list[tuple[int, int, bool]] = []
    for _ in range(draw.randint(0, 70)):
        one, other = draw.choices(range(boxes), k=2)
        if place[one] != place[other]:
            down = place[one] < place[other] or (cycles and draw.random() < 0.02)
            ends.append((one, other, False) if down else (other, one, False))
    if draw.random() < 0.3:
        ends += [(*draw.choices(range(boxes), k=2), True) for _ in range(draw.randint(1, 6))]
        draw.shuffle(ends)
    spans: list[tuple[int, int]] = []
    for _ in range(draw.randint(0, 10)):
        first, last = sorted(draw.choices(range(boxes), k=2))
        if all(last < a or b < first or (a <= first and last <= b) for a, b in spans):
            spans.append((first, last))

    def innermost(first: int, last: int, among: int) -> int:
        inside = [i for i, (a, b) in enumerate(spans[:among]) if a <= first and last <= b]
        return inside[-1] if inside else -1

    def size() -> float:
        return round(draw.uniform(10, 200), 1)

    return Diagram(
        width=[size() for _ in range(boxes)],
        height=[size() for _ in range(boxes)],
        upper=[upper for upper, _, _ in ends],
        lower=[lower for _, lower, _ in ends],
        room=[size() / 3 if draw.random() < 0.1 else 0.0 for _ in ends],
        group=[innermost(place[box], place[box], len(spans)) for box in range(boxes)],
        parent=[innermost(*span, i) for i, span in enumerate(spans)],
        head=[(size(), 14.0) for _ in spans],
        carried=[carried for _, _, carried in ends],
    )
