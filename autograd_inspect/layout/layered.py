"""Boxes in levels, arrows running down: the layout of every drawing.

The algorithm, exactly enough to write it again in another language. Same input, same output: ties
are broken by number everywhere, no random or hash order is used, and nothing recurses.

1. Levels (`levels`). An arrow that would close a cycle is turned around: walk the boxes bottom up,
   a box after all boxes that its arrows lead down to, first come first served; where only cycles
   are left, go on with the first box that is not done. A box's height is the length of its longest
   way down, so it lies right above the highest of its users. Then what hangs on a second root is
   lifted: for at most 32 rounds, take the pieces that arrows of length 1 hold together; a piece
   with more arrows up to other pieces than down is lifted by the smallest slack of those up.
   Level 0 is the greatest height.
2. Bends (`levels`). The arrows of one box that pass over levels share one stem: a bend on each
   level from below the box to above its farthest user. The bends of all stems may be at most
   2 * boxes + 1000, shortest stems first (by length, then number); boxes beyond that get a lane.
   Boxes and bends are vertices; pieces of arrows between neighbouring levels are segments.
3. Orders (`orders`). First order: from each box without a segment down, by number, a depth-first
   walk up, segments in their given order, those of arrows by arrow after those of the stem.
   Then rounds of a sweep down and a sweep up. A sweep sorts the vertices of a level by the mean
   place of their neighbours on the level before; those without any keep their slot; ties keep
   their order in round 0, later go by vertex * 7919 * round mod 65521. After each sweep, level by
   level, neighbours are swapped where that saves crossings. Only levels from 8 above to 9 below a
   crossing take part. Where the order tried and the best so far agree on a level, they are cut,
   and of each piece the one with fewer crossings is kept. There are
   min(12, max(2, 60000 / (segments + 1))) rounds, fewer once nothing crosses.
4. Columns (`columns`, `packing`). Each vertex goes on to one upper neighbour: the one with the most
   boxes on its longest way to the top, of several the one nearest to the middle of them, then the
   leftmost. Where several go on to the same one, the most boxes to the bottom wins, then the
   longest chain so far, then the first from below and the left. These are chains.
   Segments are joined into columns of one x, at most one joint up and down per vertex and no two
   joints crossing, in this order: chains on a longest way through the graph, bend to bend, other
   chains, the rest; then by boxes on their way, most first, then by number of the upper and of the
   lower vertex. Columns are packed left. While the width is more than 1.5 times that of the widest
   level + 200, for at most 8 rounds, joints are given up as `Packing.too_stiff` says. Then in four
   passes, right to left and left to right, each column moves to the median of the columns that it
   has segments to, as far as its neighbours leave room.
5. Bands (`routes`). A level is as tall as its tallest box, boxes are centred in it; the gap below
   is 26 + 5 % of the farthest sideways step in it, at most 64.
6. Routes (`routes`). An arrow leaves from the middle of a box's lower side, keeps to its stem,
   which is vertical where it passes a level, so that no arrow crosses a box, and enters the upper
   side of the next box: entering arrows are sorted by where they come from and spread 12 apart, so
   that one that comes straight down stays so. A lane is a vertical line 14 right of
   everything on the levels that it passes, shortest first.

A route's points are joined by straight lines where x stays the same, else by a cubic curve with
vertical tangents whose control points lie half way down.
"""

from __future__ import annotations

from autograd_inspect.layout.diagram import Diagram, Frame, Layout
from autograd_inspect.layout.frames import lay_framed
from autograd_inspect.layout.routes import straightened


def lay_out(diagram: Diagram, *, reverse: bool = False) -> Layout:
    """Place boxes and arrows; `reverse` turns the picture upside down and the arrows around."""
    layout = lay_framed(diagram, head_below=reverse)
    height = layout.height

    def moved(x: float, y: float) -> tuple[float, float]:
        return round(x, 1), round(height - y if reverse else y, 1)

    places = list(map(moved, layout.x, layout.y))
    routes = [straightened([moved(x, y) for x, y in route]) for route in layout.routes]
    return Layout(
        x=[x for x, _ in places],
        y=[y for _, y in places],
        routes=[route[::-1] for route in routes] if reverse else routes,
        width=round(layout.width, 1),
        height=round(height, 1),
        frames=[
            Frame(
                *moved(frame.x, frame.y + frame.height if reverse else frame.y),
                width=round(frame.width, 1),
                height=round(frame.height, 1),
                label=round(frame.label, 1),
            )
            for frame in layout.frames
        ],
    )
