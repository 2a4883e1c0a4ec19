"""Carried arrows: what one turn of a folded loop hands to the next leads back up, beside the boxes.

Step 8 of the algorithm in `layered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autograd_inspect.layout.heights import Sheet
from autograd_inspect.layout.levels import Levels

_LANE_GAP = 14.0
_TRACK_GAP = 8.0
_FROM_BOX = 12.0
#: How much wider each track makes the gap that it lies in.
TRACK_ROOM = 10.0


@dataclass(frozen=True, slots=True)
class Carried:
    """A carried arrow of a sheet: its number, and the box or port that it leaves and enters."""

    arrow: int
    leaves: int
    enters: int
    room: float


@dataclass(slots=True)
class Tracks:
    """The lines of the carried arrows, one net for all that leave at one place.

    arrows         the carried arrows
    lane           per net, the x of its vertical line
    span           per net, the first and the last level that this passes
    below          per net, how many tracks lie between the boxes of its level and its own
    above          per net and level, how many lie between its own and the boxes that it enters
    gaps           per level, the number of tracks above it, and of those below the last one
    left, right    per level, how far everything on it reaches, lanes among it
    """

    arrows: list[Carried] = field(default_factory=list)
    lane: dict[int, float] = field(default_factory=dict)
    span: dict[int, tuple[int, int]] = field(default_factory=dict)
    below: dict[int, int] = field(default_factory=dict)
    above: dict[tuple[int, int], int] = field(default_factory=dict)
    gaps: list[int] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)

    def y_below(self, net: int, bottom: float) -> float:
        """Give the height of a net's track below a level that ends here."""
        return bottom + _FROM_BOX + _TRACK_GAP * self.below[net]

    def y_above(self, net: int, level: int, top: float) -> float:
        """Give the height of a net's track above a level that begins here."""
        return top - _FROM_BOX - _TRACK_GAP * self.above[net, level]


def set_apart(sheet: Sheet) -> tuple[Sheet, list[Carried]]:
    """Take the carried arrows out of a sheet: they have no say in where its boxes go."""
    if not any(sheet.carried):
        return sheet, []
    kept = [arrow for arrow, carried in enumerate(sheet.carried) if not carried]
    boxes = len(sheet.width)

    def spot(box: int, port: int) -> int:
        return box if port < 0 else boxes + port

    carried = [
        Carried(
            arrow,
            spot(sheet.upper[arrow], sheet.leaves[arrow]),
            spot(sheet.lower[arrow], sheet.enters[arrow]),
            sheet.room[arrow],
        )
        for arrow, apart in enumerate(sheet.carried)
        if apart
    ]

    def of_kept(column: list[int]) -> list[int]:
        return [column[arrow] for arrow in kept]

    plain = replace(
        sheet,
        upper=of_kept(sheet.upper),
        lower=of_kept(sheet.lower),
        leaves=of_kept(sheet.leaves),
        enters=of_kept(sheet.enters),
        room=[sheet.room[arrow] for arrow in kept],
        carried=[],
    )
    return plain, carried


def lay_tracks(
    levels: Levels, x: list[float], arrows: list[Carried], lanes: dict[int, float]
) -> Tracks:
    """Give each net of carried arrows its lane and its tracks, the shortest innermost."""
    tracks = Tracks(arrows)
    tracks.left, tracks.right = _reach(levels, x, lanes)
    tracks.gaps = [0] * (len(tracks.left) + 1)
    if not arrows:
        return tracks
    rows: list[list[int]] = [[] for _ in tracks.left]
    for vertex, level in enumerate(levels.level):
        rows[level].append(vertex)
    nets: dict[int, list[int]] = {}
    for one in arrows:
        nets.setdefault(one.leaves, []).append(one.enters)
    for net, ends in nets.items():
        passed = [levels.level[spot] for spot in (net, *ends)]
        tracks.span[net] = (min(passed), max(passed))
    order = sorted(nets, key=lambda net: (tracks.span[net][1] - tracks.span[net][0], net))
    for net in order:
        first, last = tracks.span[net]
        if _crossed(levels, x, rows, (net, nets[net]), 1) <= _crossed(
            levels, x, rows, (net, nets[net]), -1
        ):
            lane = max(tracks.right[first : last + 1]) + _LANE_GAP
            tracks.right[first : last + 1] = [lane] * (last + 1 - first)
        else:
            lane = min(tracks.left[first : last + 1]) - _LANE_GAP
            tracks.left[first : last + 1] = [lane] * (last + 1 - first)
        tracks.lane[net] = lane
    _stack_tracks(tracks, levels, x, nets)
    return tracks


def _reach(
    levels: Levels, x: list[float], lanes: dict[int, float]
) -> tuple[list[float], list[float]]:
    """Find out how far to the left and right everything on each level reaches."""
    count = max(levels.level, default=-1) + 1
    half, centre = np.array(levels.width) / 2, np.array(x)
    left, right = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(left, levels.level, centre - half)
    np.maximum.at(right, levels.level, centre + half)
    last: dict[int, int] = {}
    for spot, lower in zip(levels.leaves, levels.lower, strict=True):
        if spot in lanes:
            last[spot] = max(last.get(spot, 0), levels.level[lower])
    for spot, end in last.items():
        passed = slice(levels.level[spot] + 1, end)
        left[passed] = np.minimum(left[passed], lanes[spot])
        right[passed] = np.maximum(right[passed], lanes[spot])
    return left.tolist(), right.tolist()


def _crossed(
    levels: Levels,
    x: list[float],
    rows: list[list[int]],
    ends: tuple[int, Sequence[int]],
    side: int,
) -> int:
    """Count what leads down on this side of where a net leaves and enters."""
    net, entered = ends
    ways = [(net, levels.below), *((spot, levels.above) for spot in entered)]
    return sum(
        1
        for spot, near in ways
        for vertex in rows[levels.level[spot]]
        if near[vertex] and (x[vertex] - x[spot]) * side > 0
    )


def _stack_tracks(
    tracks: Tracks, levels: Levels, x: list[float], nets: dict[int, list[int]]
) -> None:
    """Stack the tracks in each gap, the one with the shortest way next to its boxes."""
    for net in sorted(nets, key=lambda net: (abs(tracks.lane[net] - x[net]), net)):
        gap = levels.level[net] + 1
        tracks.below[net] = sum(1 for other in tracks.below if levels.level[other] + 1 == gap)
        tracks.gaps[gap] += 1
    entries = {(net, levels.level[spot]): spot for net, spots in nets.items() for spot in spots}

    def way(entry: tuple[int, int]) -> tuple[float, int]:
        return abs(tracks.lane[entry[0]] - x[entries[entry]]), entry[0]

    for net, level in sorted(entries, key=way):
        tracks.above[net, level] = sum(1 for _, other in tracks.above if other == level)
        tracks.gaps[level] += 1
