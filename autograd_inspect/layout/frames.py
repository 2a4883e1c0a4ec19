"""Frames: lay out what is in each, treat it as a box in what is around it, join the ways again.

Steps 7 and 9 of the algorithm in `layered`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from autograd_inspect.layout.diagram import Diagram, Frame, Layout
from autograd_inspect.layout.flat import Ribbon, Spread, lay_flat
from autograd_inspect.layout.heights import Sheet
from autograd_inspect.layout.routes import Point, Route
from autograd_inspect.layout.sheets import Sheets, take_apart
from autograd_inspect.layout.ways import Ways, measure_ways
from autograd_inspect.layout.wrapping import WORTH_IT, Screen

# Frames that lie deeper are not wrapped.
_DEEPEST = 3
_PAD, _BELOW_HEAD = 12.0, 6.0
_LABEL_PAD, _LABEL_GAP = 8.0, 6.0


@dataclass(frozen=True, slots=True)
class _Inside:
    """A frame's sheet laid out, the size of the frame, and where sheet and label lie in it."""

    spread: Spread
    width: float
    height: float
    left: float
    top: float
    label: float = 0.0


_Insides = dict[int, _Inside]


@dataclass(frozen=True, slots=True)
class _Task:
    """A diagram, taken apart; what looks the same is laid out once: layers of a net are alike."""

    diagram: Diagram
    sheets: Sheets
    ways: Ways
    turned: bool
    ribbons: dict[str, Ribbon] = field(default_factory=dict)
    spreads: dict[tuple[str, bool], Spread] = field(default_factory=dict)

    def lay_out(self, screen: Screen | None, depth: int, known: _Insides) -> _Insides:
        """Lay out the sheets of all frames, those that lie less deep than this to fit a screen.

        `known` are the frames laid out already where none was wrapped: the deeper ones stay.
        """
        insides = dict(known)
        depths = self.depths()
        for frame in range(len(depths) - 1, -1, -1):
            if depths[frame] < depth or frame not in insides:
                wrap = screen if depths[frame] < depth else None
                insides[frame] = self._inside(frame, insides, wrap)
        spread = self._spread(-1, insides, screen)
        insides[-1] = _Inside(spread, spread.width, spread.height, 0, 0)
        return insides

    def depths(self) -> list[int]:
        """Count the frames around each frame."""
        depths: list[int] = []
        for outer in self.diagram.parent:
            depths.append(depths[outer] + 1 if outer >= 0 else 0)
        return depths

    def _inside(self, frame: int, insides: _Insides, screen: Screen | None) -> _Inside:
        spread = self._spread(frame, insides, screen)
        draft = self.sheets.drafts[frame]
        passed = (draft.exit if self.turned else draft.entry).values()
        places = [spread.x[item] for item in passed]
        return _framed(spread, self.diagram.head[frame], places, head_below=self.turned)

    def _spread(self, frame: int, insides: _Insides, screen: Screen | None) -> Spread:
        sheet = _sheet(self.diagram, self.sheets, self.ways, frame, insides)
        look = repr(sheet)
        ribbon = self.ribbons.get(look) or self.ribbons.setdefault(look, lay_flat(sheet))
        key = (look, screen is not None)
        if key not in self.spreads:
            self.spreads[key] = ribbon.fitted(screen, mirrored=self.turned)
        return self.spreads[key]


def lay_framed(diagram: Diagram, *, turned: bool = False, screen: Screen | None = None) -> Layout:
    """Place the boxes, arrows and frames of a diagram, each arrow from its upper box.

    Where it is `turned`, it is laid out to be seen upside down.
    """
    group = diagram.group or [-1] * len(diagram.width)
    carried = diagram.carried or [False] * len(diagram.upper)
    ends = zip(diagram.upper, diagram.lower, carried, strict=True)
    plain = [(upper, lower) for upper, lower, back in ends if not back]
    ways = measure_ways(group, diagram.parent, [a for a, _ in plain], [b for _, b in plain])
    task = _Task(diagram, take_apart(diagram, group), ways, turned)
    unwrapped = task.lay_out(screen, 0, {})
    best = unwrapped
    for depth in range(1, min(max(task.depths(), default=-1) + 1, _DEEPEST) + 1):
        if screen is None or (scale := screen.scale(best[-1].width, best[-1].height)) >= 1:
            break
        tried = task.lay_out(screen, depth, unwrapped)
        if screen.scale(tried[-1].width, tried[-1].height) > scale * WORTH_IT:
            best = tried
    return _put_together(diagram, task.sheets, best)


def _sheet(diagram: Diagram, sheets: Sheets, ways: Ways, frame: int, insides: _Insides) -> Sheet:
    """Make a frame's sheet, once all frames in it are laid out."""
    draft = sheets.drafts[frame]
    width, height, weight = [0.0] * len(draft), [0.0] * len(draft), [1] * len(draft)
    for box, item in draft.boxes.items():
        width[item], height[item] = diagram.width[box], diagram.height[box]
    for inner, item in draft.frames.items():
        width[item], height[item] = insides[inner].width, insides[inner].height
        weight[item] = ways.through[inner]
    for passages, boxes in ((draft.entry, ways.above), (draft.exit, ways.below)):
        lasting = {net: item for net, item in passages.items() if item < draft.settled}
        least = min([boxes[net] for net in lasting], default=0)
        for net, item in lasting.items():
            # A way that goes on outside is longer than any that does not.
            weight[item] = len(draft) + boxes[net] - least
    at = []
    for inner, net in draft.ports:
        inside = insides[inner]
        place = inside.spread.x[sheets.drafts[inner].passage(net)]
        at.append(inside.left + place - inside.width / 2)
    return Sheet(
        width=width,
        height=height,
        upper=draft.upper,
        lower=draft.lower,
        room=[diagram.room[a] if a >= 0 and diagram.room else 0.0 for a in draft.given],
        port=[draft.frames[inner] for inner, _ in draft.ports],
        at=at,
        leaves=draft.leaves,
        enters=draft.enters,
        first=list(draft.entry.values()),
        last=list(draft.exit.values()),
        weight=weight,
        frames=list(draft.frames.values()),
        carried=draft.carried if any(draft.carried) else [],
    )


def _framed(
    spread: Spread, head: tuple[float, float], passed: list[float], *, head_below: bool
) -> _Inside:
    """Put a frame around a sheet, with room for its label on top, or below where it is turned.

    `passed` are the places where arrows pass the label's side: it begins beside them if it can.
    """
    width = max(spread.width, head[0]) + 2 * _PAD
    left = (width - spread.width) / 2
    places = sorted(left + x for x in passed)
    starts = [_LABEL_PAD, *(place + _LABEL_GAP for place in places)]
    clear = [
        start
        for start in starts
        if start + head[0] <= width - _LABEL_PAD
        and not any(-_LABEL_GAP < place - start < head[0] + _LABEL_GAP for place in places)
    ]
    head_height = head[1] + _BELOW_HEAD
    return _Inside(
        spread=spread,
        width=width,
        height=spread.height + head_height + _PAD,
        left=left,
        top=_PAD if head_below else head_height,
        label=clear[0] if clear else _LABEL_PAD,
    )


def _put_together(diagram: Diagram, sheets: Sheets, insides: _Insides) -> Layout:
    """Move each sheet to its place on the one around it, and join the arrows."""
    corner: dict[int, Point] = {-1: (0.0, 0.0)}
    frames = []
    for frame, outer in enumerate(diagram.parent):
        inside, around, item = insides[frame], insides[outer], sheets.drafts[outer].frames[frame]
        left = corner[outer][0] + around.spread.x[item] - inside.width / 2
        top = corner[outer][1] + around.spread.y[item] - inside.height / 2
        frames.append(Frame(left, top, inside.width, inside.height, left + inside.label))
        corner[frame] = (left + inside.left, top + inside.top)
    x, y = [0.0] * len(diagram.width), [0.0] * len(diagram.width)
    for frame, (left, top) in corner.items():
        spread = insides[frame].spread
        for box, item in sheets.drafts[frame].boxes.items():
            x[box], y[box] = left + spread.x[item], top + spread.y[item]
    routes = []
    for way in sheets.ways:
        route: Route = []
        for frame, leg in way:
            left, top = corner[frame]
            route += [(left + x, top + y) for x, y in insides[frame].spread.routes[leg]]
        if len(way) > 1:  # where two pieces meet, two sums that are to be equal may not quite be
            route = [(round(x, 6), round(y, 6)) for x, y in route]
        routes.append(route)
    return Layout(x, y, routes, insides[-1].width, insides[-1].height, frames)
