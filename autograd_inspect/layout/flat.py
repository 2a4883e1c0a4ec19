"""One sheet of boxes and arrows, laid out: steps 1 to 6, 8 and 9 of the algorithm in `layered`."""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.layout.carried import lay_tracks, set_apart
from autograd_inspect.layout.columns import place_columns
from autograd_inspect.layout.heights import Sheet
from autograd_inspect.layout.levels import make_levels
from autograd_inspect.layout.orders import order_levels
from autograd_inspect.layout.routes import Point, Route, Router, lanes_beside, stack_bands
from autograd_inspect.layout.wrapping import Screen, Strip, Wrap, cuts_for


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


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A sheet whose levels lie below each other, and the places of its boxes from left to right."""

    sheet: Sheet
    strip: Strip
    x: list[float]
    turned: list[bool]

    def fitted(self, screen: Screen | None, *, mirrored: bool) -> Spread:
        """Leave the levels below each other, or cut them into columns to fit a screen."""
        strip = self.strip
        cuts = cuts_for(strip, screen) if screen is not None else []
        if not cuts:
            places = list(zip(self.x, strip.bands.middle, strict=True))
            bottom = max(strip.bands.bottom, default=0.0)
            return self._at(places, strip.routes, bottom, beside=bool(strip.kept))
        wrap = Wrap.of(strip, cuts, mirrored=mirrored)
        levels = strip.levels.level[: len(self.x)]
        places = [
            wrap.moved(wrap.column(level), (x, y))
            for level, x, y in zip(levels, self.x, strip.bands.middle, strict=True)
        ]
        routes = wrap.routes()
        if mirrored:
            places = [(-x, y) for x, y in places]
            routes = [[(-x, y) for x, y in route] for route in routes]
        return self._at(places, routes, wrap.bottom(), beside=True)

    def _at(
        self, places: list[Point], routes: list[Route], bottom: float, *, beside: bool
    ) -> Spread:
        """Move everything to begin at 0; an arrow that was turned around runs up again."""
        width = self.sheet.width
        sides = [places[b][0] + s * width[b] / 2 for b in range(len(width)) for s in (-1, 1)]
        sides += [x for route in routes for x, _ in route]
        left = min(sides, default=0.0)
        # Only lines beside the boxes may lie above or below all of them.
        heights = [y for route in routes for _, y in route] if beside else []
        top = min([0.0, *heights])
        moved = [[(x - left, y - top) for x, y in route] for route in routes]
        return Spread(
            x=[x - left for x, _ in places],
            y=[y - top for _, y in places],
            routes=[r[::-1] if turn else r for r, turn in zip(moved, self.turned, strict=True)],
            width=max(sides, default=0.0) - left,
            height=max([bottom, *heights]) - top,
        )


def lay_flat(sheet: Sheet) -> Ribbon:
    """Place the boxes and arrows of one sheet."""
    plain, carried = set_apart(sheet)
    levels = make_levels(plain)
    rows = order_levels(levels)
    x = place_columns(levels, rows)
    lanes = lanes_beside(levels, x)
    tracks = lay_tracks(levels, x, carried, lanes)
    bands = stack_bands(levels, x, plain, tracks.gaps)
    routes, led_back = Router(levels, plain, x, bands, lanes, tracks).routes()
    nets, homes, turned = levels.leaves[:], levels.lower[:], levels.turned[:]
    for one, route in zip(carried, led_back, strict=True):  # in the order of their numbers
        routes.insert(one.arrow, route)
        nets.insert(one.arrow, -1)
        homes.insert(one.arrow, levels.owner[one.enters])
        turned.insert(one.arrow, False)
    kept = list(tracks.span.values())
    strip = Strip(levels, bands, routes, nets, homes, tracks.left, tracks.right, kept)
    return Ribbon(sheet, strip, x[: levels.boxes], turned)
