"""The rails left of every line, as characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.rails import LANES, Joint, Rails
from autograd_inspect.renderers.text import Segment

_UP, _DOWN, _LEFT, _RIGHT, _NODE, _BEHIND = map(int, Joint)

#: By the bits UP, DOWN, LEFT, RIGHT. Where lines cross without touching, the rail is whole.
_UNICODE = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"
_ASCII = r" |||-/\+-\/+-+++"
#: Colours of the lanes in turn; red is for what is wrong.
_COLORS = ("blue", "green", "cyan", "magenta", "yellow")


@dataclass(frozen=True, slots=True)
class Gutter:
    """Draws the cells of lines.

    lanes  how many are drawn
    more   whether a cell with the number of all others follows, so many columns wide; 0 for none
    """

    lanes: int
    more: int
    ascii: bool

    @classmethod
    def of(cls, rails: Rails, *, ascii: bool) -> Gutter:  # noqa: A002 - named as the option
        """Make it as wide as the rails need."""
        used = np.flatnonzero(rails.cells.max(axis=0, initial=0))
        lanes = int(used[-1]) + 1 if len(used) else 0
        most = int(rails.hidden.max(initial=0))
        return cls(min(lanes, LANES), len(f"+{most}") + 1 if lanes > LANES else 0, ascii)

    @property
    def width(self) -> int:
        """Columns that it takes."""
        return 2 * self.lanes + (2 + self.more if self.more else 0)

    def draw(self, cells: Sequence[int], hidden: int, sign: Segment) -> list[Segment]:
        """Draw a line, with `sign` where its item stands and the number of `hidden` rails."""
        shapes, flat = (_ASCII, "-") if self.ascii else (_UNICODE, "─")
        shown = [*cells[: self.lanes], *(cells[LANES:] if self.more else ())]
        drawn: list[Segment] = []
        for at, cell in enumerate(shown):
            style = _COLORS[at % len(_COLORS)]
            if cell & _NODE:
                drawn.append(sign)
            elif cell & _BEHIND:
                drawn.append((shapes[_UP | _DOWN], style))
            else:
                shape = shapes[cell & (_UP | _DOWN | _LEFT | _RIGHT)]
                drawn.append((shape, style if cell else ""))
            touches = cell & _RIGHT or (at + 1 < len(shown) and shown[at + 1] & _LEFT)
            drawn.append((flat, "dim") if touches else (" ", ""))
        if self.more:
            number = f"+{hidden}" if hidden else ""
            drawn.append((number.ljust(self.more), "dim"))
        return drawn

    def dotted(self, cells: Sequence[int]) -> list[Segment]:
        """Draw the rails of a line that stands for others."""
        sign = ":" if self.ascii else "┆"
        drawn = [
            (sign if cell else " ", _COLORS[at % len(_COLORS)])
            for at, cell in enumerate(cells[: self.lanes])
        ]
        blank = self.width - 2 * self.lanes
        return [part for one in drawn for part in (one, (" ", ""))] + [(" " * blank, "")]
