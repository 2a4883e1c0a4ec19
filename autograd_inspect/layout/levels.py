"""Levels: the boxes by their heights, and the bends of arrows that pass over some.

Step 2 of the algorithm in `layered`.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.layout.heights import Sheet, heights_of, without_cycles


@dataclass(slots=True)
class Levels:
    """Vertices are the boxes, the ports, then the bends; a segment joins neighbouring levels.

    Ports have no place of their own on a level: they lie on their boxes. A segment ends at a port
    where there is one.

    boxes    how many there are
    bends    the number of the first bend
    width    per vertex, 0 for ports and bends
    weight   per vertex, 0 for ports and bends
    level    per vertex, 0 at the top
    above    per vertex, its neighbours one level up; once per arrow that passes there
    below    per vertex, its neighbours one level down
    uppers   per vertex, `above` with that of its ports
    lowers   per vertex, `below` with that of its ports
    owner    per vertex, the box of a port, else itself
    at       per vertex, how far right of the middle of its owner it lies
    ports    per box that has some, its ports from left to right
    stem     per box and port, its first bend, -1 for none; each next one is a level further down
    stem_end per box and port, one more than its last bend
    lane     per box and port, whether its long arrows run outside all boxes, not through bends
    upper, lower    per arrow, the boxes at its ends, the upper one on a smaller level
    leaves, enters  per arrow, the box or port at these ends
    turned   per arrow, whether that is against its direction
    """

    boxes: int
    bends: int
    width: list[float]
    weight: list[int]
    level: list[int]
    above: list[list[int]]
    below: list[list[int]]
    uppers: list[list[int]]
    lowers: list[list[int]]
    owner: list[int]
    at: list[float]
    ports: dict[int, list[int]]
    stem: list[int]
    stem_end: list[int]
    lane: list[bool]
    upper: list[int]
    lower: list[int]
    leaves: list[int]
    enters: list[int]
    turned: list[bool]

    def last_stop(self, arrow: int) -> int:
        """Give the vertex that an arrow comes from when it enters its lower box; -1 for a lane."""
        spot = self.leaves[arrow]
        passed = self.level[self.lower[arrow]] - self.level[spot] - 1
        if not passed:
            return spot
        return -1 if self.lane[spot] else self.stem[spot] + passed - 1

    def places(self, row: list[int], first: int = 0) -> dict[int, float]:
        """Give the place of each vertex in a row, and those of the ports on it a little beside."""
        if not self.ports:
            return {vertex: i for i, vertex in enumerate(row, first)}
        place: dict[int, float] = {}
        for i, vertex in enumerate(row, first):
            place[vertex] = i
            for port in self.ports.get(vertex, ()):
                place[port] = i + self.at[port] / self.width[vertex]
        return place

    def join(self, upper: int, lower: int) -> None:
        """Add a segment between two vertices."""
        self.below[upper].append(lower)
        self.above[lower].append(upper)
        if self.lowers[self.owner[upper]] is not self.below[upper]:
            self.lowers[self.owner[upper]].append(lower)
        if self.uppers[self.owner[lower]] is not self.above[lower]:
            self.uppers[self.owner[lower]].append(upper)

    def add_bends(self, count: int, level: int) -> int:
        """Add bends from a level on down and give the number of the first."""
        first = len(self.level)
        self.width.extend([0.0] * count)
        self.weight.extend([0] * count)
        self.level.extend(range(level, level + count))
        self.owner.extend(range(first, first + count))
        self.at.extend([0.0] * count)
        for own, with_ports in ((self.above, self.uppers), (self.below, self.lowers)):
            own.extend([] for _ in range(count))
            with_ports.extend(own[first:])
        return first


def make_levels(sheet: Sheet) -> Levels:
    """Put each box on a level and bends where arrows pass over levels."""
    boxes = len(sheet.width)
    upper, lower, turned = without_cycles(boxes, sheet.upper, sheet.lower)
    height = heights_of(sheet, upper, lower)
    top = max(height, default=0)
    owner = [*range(boxes), *sheet.port]
    spots = len(owner)
    above: list[list[int]] = [[] for _ in owner]
    below: list[list[int]] = [[] for _ in owner]
    levels = Levels(
        boxes=boxes,
        bends=spots,
        width=sheet.width + [0.0] * len(sheet.port),
        weight=sheet.weight + [0] * len(sheet.port),
        level=[top - height[box] for box in owner],
        above=above,
        below=below,
        uppers=above[:],
        lowers=below[:],
        owner=owner,
        at=[0.0] * boxes + sheet.at,
        ports=_ports_by_box(sheet),
        stem=[-1] * spots,
        stem_end=[-1] * spots,
        lane=[False] * spots,
        upper=upper,
        lower=lower,
        leaves=_spots(upper, sheet.leaves, turned, boxes),
        enters=_spots(lower, sheet.enters, turned, boxes),
        turned=turned,
    )
    for box in levels.ports:
        levels.uppers[box], levels.lowers[box] = [], []
    _grow_stems(levels)
    for arrow, end in enumerate(levels.enters):
        stop = levels.last_stop(arrow)
        if stop >= 0:
            levels.join(stop, end)
    return levels


def _ports_by_box(sheet: Sheet) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for number in sorted(range(len(sheet.port)), key=sheet.at.__getitem__):
        found.setdefault(sheet.port[number], []).append(len(sheet.width) + number)
    return found


def _spots(ends: list[int], ports: list[int], turned: list[bool], boxes: int) -> list[int]:
    """Give the port at each end, or the box; a port is of no use to an arrow turned around."""
    return [
        end if port < 0 or turn else boxes + port
        for end, port, turn in zip(ends, ports, turned, strict=True)
    ]


def _grow_stems(levels: Levels) -> None:
    """Give the long arrows of a box or port one common stem of bends, the shortest stems first.

    Bends are bounded to a small multiple of the boxes; stems beyond that become lanes.
    """
    level = levels.level
    reach = [0] * levels.bends
    for spot, b in zip(levels.leaves, levels.lower, strict=True):
        reach[spot] = max(reach[spot], level[b] - level[spot] - 1)
    left = 2 * levels.boxes + 1000
    for spot in sorted(
        (spot for spot in range(levels.bends) if reach[spot]), key=reach.__getitem__
    ):
        left -= reach[spot]
        if left < 0:
            levels.lane[spot] = True
            continue
        first = levels.add_bends(reach[spot], level[spot] + 1)
        levels.stem[spot], levels.stem_end[spot] = first, first + reach[spot]
        for bend, before in enumerate([spot, *range(first, first + reach[spot] - 1)], first):
            levels.join(before, bend)
