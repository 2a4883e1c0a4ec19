"""Routes: heights of the levels, lanes beside the boxes, and the way of every arrow.

Steps 5 and 6 of the algorithm in `layered`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograd_inspect.layout.carried import TRACK_ROOM, Carried, Tracks
from autograd_inspect.layout.heights import Sheet
from autograd_inspect.layout.levels import Levels

Point = tuple[float, float]
Route = list[Point]

_GAP, _BARE_GAP, _WIDEST_GAP, _GAP_PER_SHIFT = 18.0, 10.0, 64.0, 0.05
_LANE_GAP = 14.0
_MOST_LANES = 500
_PORT_GAP, _PORT_INSET = 12.0, 10.0
_STRAIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Bands:
    """The vertical extent of each level, and per box where its middle lies in it."""

    top: list[float]
    bottom: list[float]
    middle: list[float]


def stack_bands(levels: Levels, x: list[float], sheet: Sheet, tracks: list[int]) -> Bands:
    """Stack the levels; the gap is wider where lines have far to go to the side.

    `tracks` is the number of lines of carried arrows above each level.
    """
    count = max(levels.level, default=-1) + 1
    tallest, shift = [0.0] * count, [0.0] * count
    for vertex, level in enumerate(levels.level):
        if vertex < levels.boxes:
            tallest[level] = max(tallest[level], sheet.height[vertex])
        for other in levels.below[vertex]:
            shift[level] = max(shift[level], abs(x[other] - x[vertex]))
    top, bottom, y = [], [], 0.0
    for level in range(count):
        top.append(y)
        bottom.append(y + tallest[level])
        # Beside a level without boxes are but the places where lines pass the frame.
        bare = not tallest[level] or not tallest[min(level + 1, count - 1)]
        least = _BARE_GAP if bare else _GAP
        y = bottom[-1] + min(least + shift[level] * _GAP_PER_SHIFT, _WIDEST_GAP)
        y += TRACK_ROOM * tracks[level + 1]
    return Bands(top, bottom, list(_middles(levels, sheet, top, bottom)))


def _middles(
    levels: Levels, sheet: Sheet, top: list[float], bottom: list[float]
) -> Iterator[float]:
    """Centre boxes in their levels; beside a frame, what is entered by nothing lies at the end."""
    framed = {levels.level[frame] for frame in sheet.frames}
    for box, height in enumerate(sheet.height):
        level = levels.level[box]
        if level in framed and not levels.uppers[box]:
            yield bottom[level] - height / 2
        else:
            yield (top[level] + bottom[level]) / 2


def lanes_beside(levels: Levels, x: list[float]) -> dict[int, float]:
    """Give each box or port that needs a lane one right of everything on the levels it passes."""
    last: dict[int, int] = {}
    for spot, lower in zip(levels.leaves, levels.lower, strict=True):
        if levels.lane[spot]:
            last[spot] = max(last.get(spot, 0), levels.level[lower])
    if not last:
        return {}
    edge = np.zeros(max(levels.level, default=-1) + 1)
    right = [x + width / 2 for x, width in zip(x, levels.width, strict=True)]
    np.maximum.at(edge, levels.level, right)
    lanes: dict[int, float] = {}
    for spot in sorted(last, key=lambda spot: last[spot] - levels.level[spot]):
        passed = slice(levels.level[spot] + 1, last[spot])
        if len(lanes) > _MOST_LANES:  # no picture of so many can be read; do not take for ever
            passed = slice(None)
        lanes[spot] = float(edge[passed].max()) + _LANE_GAP
        if len(lanes) <= _MOST_LANES:
            edge[passed] = lanes[spot]
    return lanes


@dataclass(frozen=True, slots=True)
class Router:
    """Finds the way of every arrow through places that are settled already."""

    levels: Levels
    sheet: Sheet
    x: list[float]
    bands: Bands
    lanes: dict[int, float]
    tracks: Tracks

    def routes(self) -> tuple[list[Route], list[Route]]:
        """Give the points of every arrow, from its upper box to its lower one, then the carried."""
        runs = self._runs()
        ends = self._ends()
        plain = len(self.levels.enters)
        return (
            [self._route(arrow, runs, ends[arrow]) for arrow in range(plain)],
            list(map(self._led_back, self.tracks.arrows, ends[plain:])),
        )

    def _runs(self) -> list[list[tuple[int, float]]]:
        """Give the straight pieces of each stem: the level each begins at, and where it lies."""
        level, stems = self.levels.level, self.levels.stem
        runs: list[list[tuple[int, float]]] = [[] for _ in stems]
        for spot, first in enumerate(stems):
            if first >= 0:
                for bend in range(first, self.levels.stem_end[spot]):
                    if not runs[spot] or abs(runs[spot][-1][1] - self.x[bend]) > _STRAIGHT:
                        runs[spot].append((level[bend], self.x[bend]))
        for spot, lane in self.lanes.items():
            runs[spot] = [(level[spot] + 1, lane)]
        return runs

    def _ends(self) -> list[float]:
        """Spread the arrows that enter a box along its upper side; a straight one stays so."""
        entering: list[list[tuple[float, int]]] = [[] for _ in self.sheet.height]
        carried = self.tracks.arrows
        enters = [*self.levels.enters, *(one.enters for one in carried)]
        room = [*self.sheet.room, *(one.room for one in carried)]
        ends = [self.x[spot] for spot in enters]
        for arrow, box in enumerate(enters):
            if box < self.levels.boxes:
                entering[box].append((self._origin(arrow), arrow))
        for box, arrows in enumerate(entering):
            arrows.sort()
            centre = self.x[box]
            straight = [i for i, (x, _) in enumerate(arrows) if abs(x - centre) < _STRAIGHT]
            middle = straight[0] if len(straight) == 1 else (len(arrows) - 1) / 2
            side = max(middle, len(arrows) - 1 - middle)
            wanted = max((room[arrow] for _, arrow in arrows), default=0.0)
            half = max(self.levels.width[box] / 2 - _PORT_INSET, 0)
            gap = min(max(wanted, _PORT_GAP), half / side) if side else 0.0
            for i, (_, arrow) in enumerate(arrows):
                ends[arrow] = centre + (i - middle) * gap
        return ends

    def _origin(self, arrow: int) -> float:
        """Give the place from which an arrow comes to its lower box."""
        plain = len(self.levels.enters)
        if arrow >= plain:
            return self.tracks.lane[self.tracks.arrows[arrow - plain].leaves]
        stop = self.levels.last_stop(arrow)
        return self.x[stop] if stop >= 0 else self.lanes[self.levels.leaves[arrow]]

    def _led_back(self, one: Carried, end: float) -> Route:
        """Lead a carried arrow from below its box along its lane to above the box it enters."""
        net, owner, level = one.leaves, self.levels.owner, self.levels.level
        upper, lower = owner[net], owner[one.enters]
        low = self.tracks.y_below(net, self.bands.bottom[level[net]])
        high = self.tracks.y_above(net, level[lower], self.bands.top[level[lower]])
        x, lane = self.x[net], self.tracks.lane[net]
        return [
            (x, self.middle(upper) + self.sheet.height[upper] / 2),
            *((x, low), (lane, low), (lane, high), (end, high)),
            (end, self.middle(lower) - self.sheet.height[lower] / 2),
        ]

    def _route(self, arrow: int, runs: list[list[tuple[int, float]]], end: float) -> Route:
        upper, lower = self.levels.upper[arrow], self.levels.lower[arrow]
        spot = self.levels.leaves[arrow]
        first, last = self.levels.level[upper], self.levels.level[lower]
        top, bottom = self.bands.top, self.bands.bottom
        route = [(self.x[spot], self.middle(upper) + self.sheet.height[upper] / 2)]
        route.append((self.x[spot], bottom[first]))
        passed = [run for run in runs[spot] if run[0] < last] if last - first > 1 else []
        stops = [level - 1 for level, _ in passed[1:]] + [last - 1]
        for (begin, x), stop in zip(passed, stops, strict=False):
            route += [(x, top[begin]), (x, bottom[stop])]
        route += [(end, top[last]), (end, self.middle(lower) - self.sheet.height[lower] / 2)]
        return route

    def middle(self, box: int) -> float:
        """Give the vertical centre of a box."""
        return self.bands.middle[box]


def straightened(route: Route) -> Route:
    """Leave out points that come twice, and those inside a vertical line."""
    points = [route[0]]
    for point in route:
        if point != points[-1]:
            if len(points) > 1 and points[-2][0] == points[-1][0] == point[0]:
                points.pop()
            points.append(point)
    return points if len(points) > 1 else route[:2]
