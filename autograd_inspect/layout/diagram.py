"""What is to be laid out, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograd_inspect.layout.routes import Route


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes, arrows, and frames around boxes. Only a carried arrow may lead from a box to itself.

    A frame may be treated as one box: no way along arrows may leave a frame and come back, nor may
    it between what lies side by side in a frame. Such arrows are drawn, if not well.

    width, height  per box
    upper, lower   per arrow, its ends: the upper box is drawn above the lower one
    room           per arrow, the width kept free for a label where it enters; may be left out
    group          per box, the innermost frame around it, -1 for none; may be left out
    parent         per frame, the one around it, a smaller number, -1 for none
    head           per frame, the width and height kept free for its label
    carried        per arrow, whether it leads back up, against the flow; may be left out
    """

    width: list[float]
    height: list[float]
    upper: list[int]
    lower: list[int]
    room: list[float] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    head: list[tuple[float, float]] = field(default_factory=list)
    carried: list[bool] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a frame goes: its upper left corner, width, height, and where its label begins."""

    x: float
    y: float
    width: float
    height: float
    label: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes: x to the right, y down, all coordinates from 0.

    x, y           per box, its centre
    routes         per arrow, points along it, see `layered`: from its upper box to its lower
                   one, with `reverse` the other way, so that arrows run down the page either way
    width, height  of all of it
    frames         per frame, its place
    """

    x: list[float]
    y: list[float]
    routes: list[Route]
    width: float
    height: float
    frames: list[Frame] = field(default_factory=list)
