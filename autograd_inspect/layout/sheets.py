"""Sheets: a diagram with frames taken apart, one sheet per frame and one for what is in none.

Part of step 7 of the algorithm in `layered`. Frame -1 is the whole picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autograd_inspect.layout.diagram import Diagram

End = tuple[int, int]
"""An item of a sheet, and the port on it, -1 for none."""

Leg = tuple[int, int]
"""A piece of an arrow's way: the frame on whose sheet it lies, and its number there."""

_BORDER = -1


@dataclass(slots=True)
class Draft:
    """A sheet before it is known how large the frames on it are.

    An item is a box, a frame, or a place on the border of the sheet's own frame. All arrows of a
    box are one net: on a sheet they come from one place, and they pass a border at one place.

    boxes, frames   the item of each box and of each frame that lies on the sheet
    entry, exit     per net that passes the border above or below, the item there
    ports           per frame on the sheet and net that passes its border, the number of its port
    upper, lower    per arrow, the items at its ends
    leaves, enters  per arrow, the ports at its ends, -1 for none
    given           per arrow, the arrow of the diagram that it is the end of, -1 for none
    carried         per arrow, whether it leads back up
    settled         how many items there would be without carried arrows
    """

    boxes: dict[int, int] = field(default_factory=dict)
    frames: dict[int, int] = field(default_factory=dict)
    entry: dict[int, int] = field(default_factory=dict)
    exit: dict[int, int] = field(default_factory=dict)
    ports: dict[tuple[int, int], int] = field(default_factory=dict)
    upper: list[int] = field(default_factory=list)
    lower: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    enters: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    carried: list[bool] = field(default_factory=list)
    settled: int = 0
    _led: dict[tuple[int, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the items."""
        return len(self.boxes) + len(self.frames) + len(self.entry) + len(self.exit)

    def add_box(self, box: int) -> None:
        """Put a box on the sheet."""
        self.boxes[box] = len(self)

    def add_frame(self, frame: int) -> bool:
        """Put a frame on the sheet; gives False where it is there already."""
        if frame in self.frames:
            return False
        self.frames[frame] = len(self)
        return True

    def on_frame(self, frame: int, net: int) -> End:
        """Give the place where a net passes the border of a frame on the sheet."""
        return self.frames[frame], self.ports.setdefault((frame, net), len(self.ports))

    def from_above(self, net: int) -> End:
        """Give the place where a net comes in through the sheet's own border."""
        if net not in self.entry:
            self.entry[net] = len(self)
        return self.entry[net], -1

    def passage(self, net: int) -> int:
        """Give the item where a net passes the sheet's own border."""
        return self.entry[net] if net in self.entry else self.exit[net]

    def lead_to_box(self, start: End, box: int, arrow: int) -> int:
        """Draw the end of an arrow of the diagram."""
        return self._add(start, (self.boxes[box], -1), arrow)

    def carry(self, start: End, end: End, arrow: int) -> int:
        """Draw the piece of a carried arrow that leads back up."""
        return self._add(start, end, arrow, carried=True)

    def lead_into(self, start: End, frame: int, net: int) -> int:
        """Draw a net to the border of a frame on the sheet, once for all its arrows."""
        if (net, frame) not in self._led:
            self._led[net, frame] = self._add(start, self.on_frame(frame, net), -1)
        return self._led[net, frame]

    def lead_out(self, start: End, net: int) -> int:
        """Draw a net to the sheet's own border, once for all its arrows."""
        if (net, _BORDER) not in self._led:
            self.exit[net] = len(self)
            self._led[net, _BORDER] = self._add(start, (self.exit[net], -1), -1)
        return self._led[net, _BORDER]

    def _add(self, start: End, end: End, given: int, *, carried: bool = False) -> int:
        self.upper.append(start[0])
        self.leaves.append(start[1])
        self.lower.append(end[0])
        self.enters.append(end[1])
        self.given.append(given)
        self.carried.append(carried)
        return len(self.given) - 1


@dataclass(frozen=True, slots=True)
class Sheets:
    """The sheet of each frame, that of the whole picture last, and per arrow its way over them."""

    drafts: list[Draft]
    ways: list[list[Leg]]


def take_apart(diagram: Diagram, group: Sequence[int]) -> Sheets:
    """Make the sheets of a diagram, with the innermost frame around each box, -1 for none."""
    parent = diagram.parent
    drafts = [Draft() for _ in range(len(parent) + 1)]
    # By way of their first boxes, so that items come in the order of the boxes.
    for box, frame in enumerate(group):
        _add_frame(drafts, parent, frame)
        drafts[frame].add_box(box)
    for frame in range(len(parent)):
        _add_frame(drafts, parent, frame)
    depth = [0] * (len(parent) + 1)
    for frame, outer in enumerate(parent):
        depth[frame] = depth[outer] + 1
    carried = diagram.carried or [False] * len(diagram.upper)
    ways: list[list[Leg]] = [[] for _ in carried]
    # What only carried arrows need comes last, so that it changes nothing about the others.
    for last in (False, True):
        for draft in drafts:
            draft.settled = len(draft)
        for arrow in (arrow for arrow, turn in enumerate(carried) if turn is last):
            net, box = diagram.upper[arrow], diagram.lower[arrow]
            left, entered = _borders(parent, depth, group[net], group[box])
            ways[arrow] = list(_way(drafts, (arrow, net, box), left, entered, carried=last))
    return Sheets(drafts, ways)


def _borders(
    parent: Sequence[int], depth: list[int], out: int, into: int
) -> tuple[list[int], list[int]]:
    """List the frames that an arrow leaves, from the inside out, then those around what is left.

    The first of the latter is the innermost frame around both ends.
    """
    left: list[int] = []
    entered: list[int] = []
    while out != into:
        if depth[out] >= depth[into]:
            left.append(out)
            out = parent[out]
        else:
            entered.append(into)
            into = parent[into]
    return left, [out, *reversed(entered)]


def _add_frame(drafts: list[Draft], parent: Sequence[int], frame: int) -> None:
    while frame >= 0 and drafts[parent[frame]].add_frame(frame):
        frame = parent[frame]


def _way(
    drafts: list[Draft],
    ends: tuple[int, int, int],
    left: list[int],
    entered: list[int],
    *,
    carried: bool,
) -> Iterator[Leg]:
    """Lead an arrow out of the frames that it leaves, and from the first of the others inwards."""
    arrow, net, box = ends
    inner = -1
    for frame in left:
        draft = drafts[frame]
        start = (draft.boxes[net], -1) if inner < 0 else draft.on_frame(inner, net)
        yield frame, draft.lead_out(start, net)
        inner = frame
    for place, frame in enumerate(entered):
        draft = drafts[frame]
        if place:
            start = draft.from_above(net)
        else:
            start = (draft.boxes[net], -1) if inner < 0 else draft.on_frame(inner, net)
        further = entered[place + 1] if place + 1 < len(entered) else -1
        if carried and not place:
            end = draft.on_frame(further, net) if further >= 0 else (draft.boxes[box], -1)
            yield frame, draft.carry(start, end, arrow if further < 0 else -1)
        elif further >= 0:
            yield frame, draft.lead_into(start, further, net)
        else:
            yield frame, draft.lead_to_box(start, box, arrow)
