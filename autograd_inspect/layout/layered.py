"""Boxes in levels, arrows running down, frames around boxes: the layout of every drawing.

The algorithm, exactly enough to write it again in another language. Same input, same output: ties
are broken by number everywhere, no random or hash order is used, and nothing recurses.

Steps 1 to 6 lay out one sheet: boxes and arrows, without frames. What they say of ports and frames
matters for sheets of step 7 only. A port is a point on the lower side of a box, where arrows leave
instead of from its middle, or on its upper side, where an arrow enters.

1. Heights (`heights`). An arrow that would close a cycle is turned around: walk the boxes bottom
   up, a box after all boxes that its arrows lead down to, first come first served; where only
   cycles are left, go on with the first box that is not done. A box's height is the length of its
   longest way down, so it lies right above the highest of its users. Then what hangs on a second
   root is lifted: for at most 32 rounds, take the pieces that arrows of length 1 hold together; a
   piece with more arrows up to other pieces than down is lifted by the smallest slack of those up.
   Entries are put at the greatest height, exits at 0. Then each frame, the tallest first, then by
   number, goes to a height between the boxes that it has arrows from and to: to the one whose
   tallest other box it exceeds least, of several the nearest, of two the upper one. Level 0 is the
   greatest height.
2. Bends (`levels`). The arrows of one box, or of one port, that pass over levels share one stem: a
   bend on each level from below the box to above its farthest user. The bends of all stems may be
   at most 2 * boxes + 1000, shortest stems first (by length, then number, ports after boxes);
   beyond that there are lanes instead. Boxes and bends are vertices; pieces of arrows between
   neighbouring levels are segments. An arrow that was turned around has no use of ports.
3. Orders (`orders`). First order: from each box without a segment down, by number, a depth-first
   walk up, segments in their given order, those of arrows by arrow after those of the stem.
   Then rounds of a sweep down and a sweep up. A sweep sorts the vertices of a level by the mean
   place of their neighbours on the level before; those without any keep their slot; ties keep
   their order in round 0, later go by vertex * 7919 * round mod 65521. After each sweep, level by
   level, neighbours are swapped where that saves crossings. Only levels from 8 above to 9 below a
   crossing take part. Where the order tried and the best so far agree on a level, they are cut,
   and of each piece the one with fewer crossings is kept. There are
   min(12, max(2, 60000 / (segments + 1))) rounds, fewer once nothing crosses. The place of a port
   is that of its box + its distance from the middle of the box / the width of the box.
4. Columns (`columns`, `packing`). Each vertex goes on to one upper neighbour: the one with the most
   boxes on its longest way to the top, of several the one nearest to the middle of them, then the
   leftmost. Where several go on to the same one, the most boxes to the bottom wins, then the
   longest chain so far, then the first from below and the left. These are chains. An entry or exit
   counts for more boxes than one, see step 7.
   Segments are joined into columns, straight from end to end, so that a vertex lies aside from its
   column's x by the distances of the ports above it; at most one joint up and down per vertex and
   no two joints crossing, in this order: chains on a longest way through the sheet, bend to bend,
   other chains, the rest; then by boxes on their way, most first, then by number of the upper and
   of the lower vertex, then of their ports. Columns are packed left, boxes 20 apart, 14 from what
   has no width. While the width is more than 1.5 times that of the widest level + 200, for at most
   8 rounds, joints are given up as `Packing.too_stiff` says. Then in four passes, right to left and
   left to right, each column moves to the median of where its segments to other columns would be
   straight, as far as its neighbours leave room.
5. Bands (`routes`). A level is as tall as its tallest box. Boxes are centred in it, but on a level
   with a frame, what no arrow enters lies at its lower side. The gap below is 18 + 5 % of the
   farthest sideways step in it, at most 64; next to a level of no height it is 10 + 5 %.
6. Routes (`routes`). An arrow leaves from the middle of a box's lower side or from its port, keeps
   to its stem, which is vertical where it passes a level, so that no arrow crosses a box, and
   enters the upper side of the next box at its port; without ports entering arrows are sorted by
   where they come from and spread 12 apart, so that one that comes straight down stays so. A lane
   is a vertical line 14 right of everything on the levels that it passes, shortest first.
7. Frames (`sheets`, `frames`, `ways`). Each frame has a sheet, and so has the whole picture. On it
   are, in the order of the smallest box number in them, boxes and frames, later, in the order of
   the arrows, the entries and exits of its own frame: boxes without size. All arrows of a box are a
   net. Arrow by arrow, for each frame that it leaves, from the inside out, its net is led from
   where it comes from on that sheet (the box, or its port on the frame left before) to an exit of
   that frame; on the sheet that it has in common with its lower end, from there on; for each frame
   that it enters, from the outside in, from an entry. It is led to its lower box, or to its net's
   port on the next frame to enter. What ends at an exit or at a frame is drawn once per net; so a
   net has one place where it enters a frame and one where it leaves it.
   Sheets are laid out from the last frame to the first. A frame's sheet gets 12 of room around it,
   on top the height of the head + 6; it is at least as wide as its head + 24, the sheet in the
   middle. Ports are above the entries and below the exits of its sheet. The label begins 8 from the
   left; where an arrow would come closer than 6 to it, 6 right of the first arrow where it keeps
   clear of all and ends 8 from the right, if there is such a place.
   In step 4 a frame counts for 1 + the difference between the longest and the shortest of the
   longest ways down from its boxes, in the whole diagram. An entry counts for the number of items
   on its sheet + the boxes on the longest way from the top to the net's box, less the smallest such
   number among the entries; an exit likewise, by the longest way from the net's box to the bottom.
   The pieces of an arrow are put together: above and below an entry, exit or port it is vertical,
   so it crosses the outlines of the frames around its ends, and nothing else.

8. Carried arrows (`carried`) lead from the lower side of a box up to the upper side of another one,
   or of the same. They are not there for steps 1 to 4 and in the counts of step 7. Theirs are the
   last items of a sheet: by arrow, exits and entries as above, of weight 1, where there is none for
   the net; the piece on the sheet that both ends have in common is carried. All carried pieces of a
   net on a sheet share a lane, a vertical line past the levels from the highest of their ends to
   the lowest, 14 beside all that is on these: on the right, unless more ways down from the level of
   the net's box and more ways up from those of the ends lie right than left of them. The nets with
   the shortest way, then the smallest number, come first. From the box a net goes down to a track,
   along this to its lane, along that to a track above the box it enters: one per net and level.
   Tracks lie 12 from the level, the next 8 further, those with the shortest way to their lane
   first, then the smallest number. Each makes the gap that it lies in 10 wider. In step 6 a carried
   arrow comes from its lane.
9. Columns (`wrapping`), where there is a screen to fit: 900 high and `aspect` times as wide, less
   120 of height and 40 of width. The scale of something is the one at which it fits, at most 1.3. A
   sheet of a scale below 1 may be cut above levels that at most 1 net crosses, then 2, then 3; none
   within the levels of a carried net and next to them. For columns up to ceil(most * i / 12), i
   from 1 to 12, but 2 at least, with most = ceil(2 * sqrt(height / width * the screen's)) + 1:
   columns are filled from the first level on, each as far as its height and the cuts allow; the
   height is halved in from [height / columns, height] until less than 1 is between, where it
   succeeds to the tallest column that came out. Of all numbers the first with at least 0.97 of the
   best scale is taken, if that is 1.15 times what there was, and more nets may cross only for 1.15
   times again. Where 1.15 times more is beyond 1.3, or no more places come to it, it is not tried.
   Columns are as wide as what is on their levels, and begin at the same height; with `reverse` they
   end there and go from right to left, all mirrored. Between two is a gutter of 2 * 18 + 10 per net
   after the first. The nets of a cut, the one nearest to the next column first, go down 12 below
   the column, 10 further each, right to a line 18 from it, 10 further each, up to 16 above the next
   column, 10 further each for those that come before, and down into it.
   First only the sheet of the whole picture is wrapped, then frames less than 1, 2, 3 deep too: as
   long as the scale is below 1, and kept if it is 1.15 times the best.

All coordinates are moved to begin at 0 and rounded to one decimal; those of an arrow in pieces to
six before. A route's points are joined by straight lines where x stays the same, else by a cubic
curve with vertical tangents whose control points lie half way down.
"""

from __future__ import annotations

from autograd_inspect.layout.diagram import Diagram, Frame, Layout
from autograd_inspect.layout.frames import lay_framed
from autograd_inspect.layout.routes import straightened
from autograd_inspect.layout.wrapping import Screen

# The height of the screen that a drawing is wrapped for; what its margins and its title take of it.
_SCREEN = 900.0
_BESIDE, _ABOVE = 40.0, 120.0


def lay_out(diagram: Diagram, *, reverse: bool = False, aspect: float | None = None) -> Layout:
    """Place boxes and arrows; `reverse` turns the picture upside down and the arrows around.

    With an `aspect`, width to height of a screen, what is too tall for it is wrapped into columns.
    """
    screen = None if aspect is None else Screen(_SCREEN * aspect - _BESIDE, _SCREEN - _ABOVE)
    layout = lay_framed(diagram, turned=reverse, screen=screen)
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
