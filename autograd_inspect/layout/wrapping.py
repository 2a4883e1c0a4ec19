"""Wrapping: the levels of a sheet that is too tall, cut into columns side by side.

Step 9 of the algorithm in `layered`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, sqrt

from autograd_inspect.layout.levels import Levels
from autograd_inspect.layout.routes import Bands, Point, Route

#: How much larger a drawing has to come out for what makes it harder to follow.
_MOST_CROSSING = 3
WORTH_IT, _AS_GOOD = 1.15, 0.97
_MOST_TRIES = 12
_GUTTER, _LINE_GAP = 18.0, 10.0
_ABOVE, _BELOW = 16.0, 12.0
# The upper side of a box, computed from its middle, may lie a little above its level.
_SLIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Screen:
    """The space that a drawing is to be read on, and how much it may be enlarged there."""

    width: float
    height: float
    most: float = 1.3

    def scale(self, width: float, height: float) -> float:
        """Give the scale at which something of this size fits."""
        return min(self.width / max(width, 1.0), self.height / max(height, 1.0), self.most)


@dataclass(frozen=True, slots=True)
class Strip:
    """A sheet laid out, before it is wrapped.

    routes         per arrow, from the upper level down
    nets           per arrow, the box or port that it leaves; -1 for one that is carried
    homes          per arrow, the box that it enters
    left, right    per level, how far everything on it reaches
    kept           per carried net, the first and the last level that it passes
    """

    levels: Levels
    bands: Bands
    routes: list[Route]
    nets: list[int]
    homes: list[int]
    left: list[float]
    right: list[float]
    kept: Sequence[tuple[int, int]]


def cuts_for(strip: Strip, screen: Screen) -> list[int]:
    """Choose the levels at which columns begin, after the first one: those that read best.

    Few arrows are to cross a cut: more of them have to make the drawing that much larger.
    """
    top, bottom = strip.bands.top, strip.bands.bottom
    if not top:
        return []
    width, height = max(strip.right) - min(strip.left), bottom[-1]
    best, cuts = screen.scale(width, height), []
    if best >= 1:
        return []
    crossing = _crossing(strip)
    most = ceil(2 * sqrt(height / max(width, 1.0) * screen.width / screen.height)) + 1
    tries = sorted({max(2, ceil(most * i / _MOST_TRIES)) for i in range(1, _MOST_TRIES + 1)})
    places: list[int] = []
    for allowed in range(1, _MOST_CROSSING + 1):
        fewer = len(places)
        places = [level for level in range(1, len(top)) if crossing[level] <= allowed]
        if len(places) == fewer or best * WORTH_IT >= screen.most:
            continue
        found = [cut for count in tries if (cut := _even_cuts(strip.bands, places, count))]
        scales = [screen.scale(*_size(strip, cut, crossing)) for cut in found]
        if scales and max(scales) > best * WORTH_IT:
            best = max(scales)
            enough = [scale >= best * _AS_GOOD for scale in scales]
            cuts = found[enough.index(True)]
    return cuts


def _crossing(strip: Strip) -> list[int]:
    """Count the nets that pass from above each level to it; a carried one may not be cut."""
    change = [0] * (len(strip.left) + 2)
    last: dict[int, int] = {}
    for net, lower in zip(strip.nets, strip.homes, strict=True):
        if net >= 0:
            last[net] = max(last.get(net, 0), strip.levels.level[lower])
    for net, level in last.items():
        change[strip.levels.level[net] + 1] += 1
        change[level + 1] -= 1
    for first, final in strip.kept:
        change[first] += _MOST_CROSSING + 1
        change[final + 2 if final + 2 < len(change) else -1] -= _MOST_CROSSING + 1
    return list(accumulate(change))


def _even_cuts(bands: Bands, places: list[int], count: int) -> list[int]:
    """Cut into at most so many columns, the tallest of which is as small as can be."""
    low, high = bands.bottom[-1] / count, bands.bottom[-1]
    best: list[int] = []
    while high - low > 1:
        middle = (low + high) / 2
        cuts = _cuts_within(bands, places, middle, count)
        if cuts:
            best, high = cuts, _tallest(bands, cuts)
        else:
            low = middle
    return best


def _cuts_within(bands: Bands, places: list[int], tallest: float, count: int) -> list[int]:
    """Fill columns up to a height, each as far as there is a place to cut; empty if it fails."""
    top, bottom = bands.top, bands.bottom
    cuts: list[int] = []
    begin, done = 0, 0
    while bottom[-1] - top[begin] > tallest:
        # The first level that is not in reach any more: the cut goes at or above it.
        beyond = bisect_right(bottom, top[begin] + tallest, begin)
        place = bisect_right(places, beyond, done) - 1
        if place < done or len(cuts) + 2 > count:
            return []
        begin, done = places[place], place + 1
        cuts.append(begin)
    return cuts


def _tallest(bands: Bands, cuts: list[int]) -> float:
    ends = zip([0, *cuts], [*cuts, len(bands.top)], strict=True)
    return max([bands.bottom[end - 1] - bands.top[begin] for begin, end in ends])


def _size(strip: Strip, cuts: list[int], crossing: list[int]) -> Point:
    ends = [*cuts, len(strip.left)]
    width = 0.0
    for begin, end in zip([0, *cuts], ends, strict=True):
        width += max(strip.right[begin:end]) - min(strip.left[begin:end])
    lines = [crossing[cut] - 1 for cut in cuts]
    width += sum(2 * _GUTTER + _LINE_GAP * max(count, 0) for count in lines)
    beside = _ABOVE + _BELOW + 2 * _LINE_GAP * max(0, *lines, 0)
    return width, _tallest(strip.bands, cuts) + beside


@dataclass(frozen=True, slots=True)
class Wrap:
    """Columns of levels in their places; `moved` and `led` say where points and arrows come to be.

    begins  per column, its first level
    right   per column, how far things are moved to the right
    down    per column, and down
    lines   per cut and net that crosses it: how deep below the column its line lies, where in the
            gutter, and how high above the next column
    """

    strip: Strip
    begins: list[int]
    right: list[float]
    down: list[float]
    lines: dict[tuple[int, int], tuple[float, float, float]]
    sign: int

    @classmethod
    def of(cls, strip: Strip, cuts: list[int], *, mirrored: bool) -> Wrap:
        """Put the columns side by side, the first one on the right where it is `mirrored`."""
        sign = -1 if mirrored else 1
        begins, ends = [0, *cuts], [*cuts, len(strip.left)]
        top, bottom = strip.bands.top, strip.bands.bottom
        crossed = _crossed_at(strip, cuts, sign)
        tallest = _tallest(strip.bands, cuts)
        room = _ABOVE + _LINE_GAP * max(max(map(len, crossed)) - 1, 0)
        right, down = [], []
        lines: dict[tuple[int, int], tuple[float, float, float]] = {}
        edge = 0.0
        for column, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            sides = (strip.left, strip.right)[::sign]
            near, far = ([sign * side for side in edges[begin:end]] for edges in sides)
            right.append(edge - min(near))
            tall = bottom[end - 1] - top[begin]
            down.append(room - top[begin] + (tallest - tall if mirrored else 0.0))
            edge = right[-1] + max(far)
            nets = crossed[column] if column < len(crossed) else []
            for place, net in enumerate(nets):
                deep, aside = _BELOW + _LINE_GAP * place, edge + _GUTTER + _LINE_GAP * place
                lines[column, net] = (deep, aside, _ABOVE + _LINE_GAP * (len(nets) - 1 - place))
            edge += 2 * _GUTTER + _LINE_GAP * max(len(nets) - 1, 0)
        return cls(strip, begins, right, down, lines, sign)

    def moved(self, column: int, point: Point) -> Point:
        """Give the place of a point of a column."""
        return self.sign * point[0] + self.right[column], point[1] + self.down[column]

    def column(self, level: int) -> int:
        """Give the column of a level."""
        return bisect_right(self.begins, level) - 1

    def bottom(self) -> float:
        """Give the lower end of the column that reaches the farthest down."""
        ends = [*self.begins[1:], len(self.strip.left)]
        bottom = self.strip.bands.bottom
        return max(bottom[end - 1] + down for end, down in zip(ends, self.down, strict=True))

    def routes(self) -> list[Route]:
        """Give the way of every arrow, through gutters where it goes on in another column."""
        tops = [self.strip.bands.top[level] for level in self.begins]
        level = self.strip.levels.level
        routes = []
        for route, net, home in zip(
            self.strip.routes, self.strip.nets, self.strip.homes, strict=True
        ):
            if net < 0:
                column = self.column(level[home])
                routes.append([self.moved(column, point) for point in route])
            else:
                routes.append(list(self._led(route, net, tops)))
        return routes

    def _led(self, route: Route, net: int, tops: list[float]) -> Iterator[Point]:
        bottom = self.strip.bands.bottom
        before, x = 0, 0.0
        for number, point in enumerate(route):
            column = bisect_right(tops, point[1] + _SLIGHT) - 1
            for left in range(before if number else column, column):
                deep, aside, high = self.lines[left, net]
                low = bottom[self.begins[left + 1] - 1]
                here, down = self.moved(left, (x, low))
                there, up = self.moved(left + 1, (point[0], tops[left + 1]))
                yield here, down
                yield here, down + deep
                yield aside, down + deep
                yield aside, up - high
                yield there, up - high
            before, x = column, point[0]
            yield self.moved(column, point)


def _crossed_at(strip: Strip, cuts: list[int], sign: int) -> list[list[int]]:
    """List the nets that cross each cut, the one nearest to the next column first."""
    top = strip.bands.top
    found: list[dict[int, float]] = [{} for _ in cuts]
    tops = [top[cut] for cut in cuts]
    for route, net in zip(strip.routes, strip.nets, strict=True):
        if net >= 0:
            before, x = 0, 0.0
            for number, point in enumerate(route):
                after = bisect_right(tops, point[1] + _SLIGHT)
                for cut in range(before if number else after, after):
                    found[cut][net] = x
                before, x = after, point[0]
    return [sorted(nets, key=lambda net: (-sign * nets[net], net)) for nets in found]
