"""Lanes: where each rail runs, and what is drawn of it in every line."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from autograd_inspect.model.rails import LANES, Joint

_UP, _DOWN, _LEFT, _RIGHT, _NODE, _BEHIND = map(int, Joint)


class Lanes:
    """Takes the items one after the other, users before what they use, and draws their lines.

    A value has one rail, which its users join; only where one of them stands further to the left,
    with nothing else to lead on to, its rail runs beside the first. So what is read first stays on
    the left. A lane that got free stays so for a line, or what begins in it would look connected.
    """

    def __init__(self, awaited: Iterable[int] = ()) -> None:
        """Begin with rails that lead to items, the nearest first, from what is not shown."""
        #: Per item that a rail leads to, its lanes, the leftmost first.
        self._leading: dict[int, list[int]] = {}
        self._free: list[int] = []
        self._cooling: list[int] = []
        self._unused = 0
        self._live = bytearray(LANES)
        #: Rails in lanes that are not drawn.
        self.hidden = 0
        for item in awaited:
            self._leading[item] = [self._take()]

    def passing(self) -> bytes:
        """Draw a line that all rails pass by."""
        return bytes([(_UP | _DOWN) * live for live in self._live] + [0])

    def meet(self, item: int, used: Iterable[int]) -> bytes:
        """Draw the line of an item; what it uses comes nearest first."""
        before = bytes(self._live)
        arriving = self._leading.pop(item, None) or [self._take()]
        lane = arriving[0]
        touched, going_on = arriving[1:], False
        for target in used:
            lanes = self._leading.get(target)
            if not going_on and (lanes is None or lanes[0] > lane):
                going_on = True
                self._leading[target] = [lane, *(lanes or ())]
            elif lanes is None:
                self._leading[target] = [self._take()]
                touched.append(self._leading[target][0])
            else:
                touched.append(lanes[0])
        for ended in arriving[going_on:]:
            self._end(ended)
        self._settle(arriving[going_on:])
        return self._drawn(lane, touched, before)

    def _take(self) -> int:
        if self._free:
            lane = heapq.heappop(self._free)
        else:
            lane = self._unused
            self._unused += 1
        if lane < LANES:
            self._live[lane] = 1
        else:
            self.hidden += 1
        return lane

    def _end(self, lane: int) -> None:
        if lane < LANES:
            self._live[lane] = 0
        else:
            self.hidden -= 1

    def _settle(self, freed: list[int]) -> None:
        """Let lanes be taken again that got free in the line before this one."""
        for lane in self._cooling:
            heapq.heappush(self._free, lane)
        self._cooling = freed

    def _drawn(self, lane: int, touched: list[int], before: bytes) -> bytes:
        cells = [_UP * up | _DOWN * down for up, down in zip(before, self._live, strict=True)]
        cells.append(0)
        at = min(lane, LANES)
        cells[at] |= _NODE
        if touched:
            ends = {min(one, LANES) for one in touched}
            first, last = min(at, *ends), max(at, *ends)
            for cell in range(first, last + 1):
                passes = cell not in ends and cell != at and cells[cell]
                cells[cell] |= (
                    _LEFT * (cell > first) | _RIGHT * (cell < last) | _BEHIND * bool(passes)
                )
        return bytes(cells)
