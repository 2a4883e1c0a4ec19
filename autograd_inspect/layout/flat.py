"""One sheet of boxes and arrows, laid out: steps 1 to 6 of the algorithm in `layered`."""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.layout.columns import place_columns
from autograd_inspect.layout.heights import Sheet
from autograd_inspect.layout.levels import make_levels
from autograd_inspect.layout.orders import order_levels
from autograd_inspect.layout.routes import Route, Router, lanes_beside, stack_bands


@dataclass(frozen=True, slots=True)
class Spread:
    """A sheet laid out: x to the right, y down, all from 0.

    x, y           per box, its centre
    routes         per arrow, points from its upper box to its lower one
    width, height  of all of it
    """

    x: list[float]
    y: list[float]
    routes: list[Route]
    width: float
    height: float


def lay_flat(sheet: Sheet) -> Spread:
    """Place the boxes and arrows of one sheet."""
    levels = make_levels(sheet)
    rows = order_levels(levels)
    x = place_columns(levels, rows)
    bands = stack_bands(levels, x, sheet)
    routes = Router(levels, sheet, x, bands, lanes_beside(levels, x)).routes()
    for route, turned in zip(routes, levels.turned, strict=True):
        if turned:
            route.reverse()
    boxes = range(levels.boxes)
    sides = [x[box] + side * sheet.width[box] / 2 for box in boxes for side in (-1, 1)]
    sides += [across for route in routes for across, _ in route]
    left = min(sides, default=0.0)
    return Spread(
        x=[x[box] - left for box in boxes],
        y=bands.middle,
        routes=[[(across - left, down) for across, down in route] for route in routes],
        width=max(sides, default=0.0) - left,
        height=max(bands.bottom, default=0.0),
    )
