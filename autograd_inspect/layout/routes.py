"""Routes: heights of the levels, lanes beside the boxes, and the way of every arrow.

Steps 5 and 6 of the algorithm in `layered`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from autograd_inspect.layout.levels import Levels

Point = tuple[float, float]
Route = list[Point]

_GAP, _WIDEST_GAP, _GAP_PER_SHIFT = 26.0, 64.0, 0.05
_LANE_GAP = 14.0
_MOST_LANES = 500
_PORT_GAP, _PORT_INSET = 12.0, 10.0
_STRAIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Bands:
    """The vertical extent of each level."""

    top: list[float]
    bottom: list[float]


def stack_bands(levels: Levels, x: list[float], height: list[float]) -> Bands:
    """Stack the levels; the gap is wider where lines have far to go to the side."""
    count = max(levels.level, default=-1) + 1
    tallest, shift = [0.0] * count, [0.0] * count
    for vertex, level in enumerate(levels.level):
        if vertex < levels.boxes:
            tallest[level] = max(tallest[level], height[vertex])
        for other in levels.below[vertex]:
            shift[level] = max(shift[level], abs(x[other] - x[vertex]))
    top, bottom, y = [], [], 0.0
    for level in range(count):
        top.append(y)
        bottom.append(y + tallest[level])
        y = bottom[-1] + min(_GAP + shift[level] * _GAP_PER_SHIFT, _WIDEST_GAP)
    return Bands(top, bottom)


def lanes_beside(levels: Levels, x: list[float], width: list[float]) -> dict[int, float]:
    """Give each box that needs a lane one right of everything on the levels that it passes."""
    last: dict[int, int] = {}
    for upper, lower in zip(levels.upper, levels.lower, strict=True):
        if levels.lane[upper]:
            last[upper] = max(last.get(upper, 0), levels.level[lower])
    edge = np.zeros(max(levels.level, default=-1) + 1)
    right = [x + width / 2 for x, width in zip(x, width, strict=True)]
    np.maximum.at(edge, levels.level, right)
    lanes: dict[int, float] = {}
    for box in sorted(last, key=lambda box: last[box] - levels.level[box]):
        passed = slice(levels.level[box] + 1, last[box])
        if len(lanes) > _MOST_LANES:  # no picture of so many can be read; do not take for ever
            passed = slice(None)
        lanes[box] = float(edge[passed].max()) + _LANE_GAP
        if len(lanes) <= _MOST_LANES:
            edge[passed] = lanes[box]
    return lanes


@dataclass(frozen=True, slots=True)
class Router:
    """Finds the way of every arrow through places that are settled already."""

    levels: Levels
    x: list[float]
    width: list[float]
    height: list[float]
    bands: Bands
    lanes: dict[int, float]

    def routes(self, room: list[float]) -> list[Route]:
        """Give the points of every arrow, from its upper box to its lower one."""
        runs = self._runs()
        ports = self._ports(room)
        return [self._route(arrow, runs, ports[arrow]) for arrow in range(len(ports))]

    def _runs(self) -> list[list[tuple[int, float]]]:
        """Give the straight pieces of each stem: the level each begins at, and where it lies."""
        level, stems = self.levels.level, self.levels.stem
        runs: list[list[tuple[int, float]]] = [[] for _ in stems]
        for box, first in enumerate(stems):
            if first >= 0:
                for bend in range(first, self.levels.stem_end[box]):
                    if not runs[box] or abs(runs[box][-1][1] - self.x[bend]) > _STRAIGHT:
                        runs[box].append((level[bend], self.x[bend]))
        for box, lane in self.lanes.items():
            runs[box] = [(level[box] + 1, lane)]
        return runs

    def _ports(self, room: list[float]) -> list[float]:
        """Spread the arrows that enter a box along its upper side; a straight one stays so."""
        entering: list[list[tuple[float, int]]] = [[] for _ in self.height]
        for arrow, box in enumerate(self.levels.lower):
            stop = self.levels.last_stop(arrow)
            origin = self.x[stop] if stop >= 0 else self.lanes[self.levels.upper[arrow]]
            entering[box].append((origin, arrow))
        ports = [0.0] * len(self.levels.lower)
        for box, arrows in enumerate(entering):
            arrows.sort()
            centre = self.x[box]
            straight = [i for i, (x, _) in enumerate(arrows) if abs(x - centre) < _STRAIGHT]
            middle = straight[0] if len(straight) == 1 else (len(arrows) - 1) / 2
            side = max(middle, len(arrows) - 1 - middle)
            wanted = max(_PORT_GAP, *(room[arrow] for _, arrow in arrows)) if arrows else 0.0
            gap = min(wanted, max(self.width[box] / 2 - _PORT_INSET, 0) / side) if side else 0.0
            for i, (_, arrow) in enumerate(arrows):
                ports[arrow] = centre + (i - middle) * gap
        return ports

    def _route(self, arrow: int, runs: list[list[tuple[int, float]]], port: float) -> Route:
        upper, lower = self.levels.upper[arrow], self.levels.lower[arrow]
        first, last = self.levels.level[upper], self.levels.level[lower]
        top, bottom = self.bands.top, self.bands.bottom
        route = [(self.x[upper], self.middle(upper) + self.height[upper] / 2)]
        route.append((self.x[upper], bottom[first]))
        passed = [run for run in runs[upper] if run[0] < last] if last - first > 1 else []
        ends = [level - 1 for level, _ in passed[1:]] + [last - 1]
        for (begin, x), end in zip(passed, ends, strict=False):
            route += [(x, top[begin]), (x, bottom[end])]
        route += [(port, top[last]), (port, self.middle(lower) - self.height[lower] / 2)]
        return _straightened(route)

    def middle(self, box: int) -> float:
        """Give the vertical centre of a box."""
        level = self.levels.level[box]
        return (self.bands.top[level] + self.bands.bottom[level]) / 2


def _straightened(route: Route) -> Route:
    """Leave out points that come twice, and those inside a vertical line."""
    points = [route[0], *(point for before, point in pairwise(route) if point != before)]
    kept = [
        point
        for before, point, after in zip(points, points[1:], points[2:], strict=False)
        if not before[0] == point[0] == after[0]
    ]
    return [points[0], *kept, points[-1]]
