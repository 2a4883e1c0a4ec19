"""Knots: what lies on cycles together, the strongly connected components of more than one item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


def knots_of(arrows: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Find the knots that arrows between items make, by Tarjan's algorithm."""
    search = _Search()
    for one, other in arrows:
        search.ahead.setdefault(one, []).append(other)
    for start in list(search.ahead):
        if start not in search.number:
            search.run(start)
    return search.knots


@dataclass(slots=True)
class _Search:
    """A depth-first search; `lowest` is the first item that an unfinished one leads back to."""

    ahead: dict[int, list[int]] = field(default_factory=dict)
    number: dict[int, int] = field(default_factory=dict)
    lowest: dict[int, int] = field(default_factory=dict)
    trail: list[int] = field(default_factory=list)
    unfinished: dict[int, int] = field(default_factory=dict)
    knots: list[list[int]] = field(default_factory=list)

    def run(self, start: int) -> None:
        """Walk all that an item leads to."""
        way = [self._enter(start)]
        while way:
            item, rest = way[-1]
            near = next(rest, None)
            if near is None:
                way.pop()
                self._leave(item)
                if way:
                    self._lower(way[-1][0], self.lowest[item])
            elif near not in self.number:
                way.append(self._enter(near))
            elif near in self.unfinished:
                self._lower(item, self.number[near])

    def _enter(self, item: int) -> tuple[int, Iterator[int]]:
        self.number[item] = self.lowest[item] = len(self.number)
        self.unfinished[item] = len(self.trail)
        self.trail.append(item)
        return item, iter(self.ahead.get(item, ()))

    def _lower(self, item: int, number: int) -> None:
        self.lowest[item] = min(self.lowest[item], number)

    def _leave(self, item: int) -> None:
        if self.lowest[item] < self.number[item]:
            return
        knot = self.trail[self.unfinished[item] :]
        del self.trail[self.unfinished[item] :]
        for done in knot:
            del self.unfinished[done]
        if len(knot) > 1:
            self.knots.append(knot)
