"""Ways: how many boxes lie before and behind each, over all frames.

Part of step 7 of the algorithm in `layered`: a way that goes on outside of a frame counts there
for what it is in the whole picture, so that its main line is straight all through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograd_inspect.layout.heights import longest_ways_down, without_cycles


@dataclass(frozen=True, slots=True)
class Ways:
    """Counts of boxes.

    above    per box, on the longest way from the top to it, itself among them
    below    per box, on the longest way from it to the bottom, itself left out
    through  per frame, the same from the first of its boxes on such a way to the last
    """

    above: list[int]
    below: list[int]
    through: list[int]


def measure_ways(
    group: Sequence[int], parent: Sequence[int], upper: Sequence[int], lower: Sequence[int]
) -> Ways:
    """Measure the ways through a diagram: `group` per box, `parent` per frame, ends per arrow.

    Where there is no frame, nobody asks: nothing is measured.
    """
    if not parent:
        return Ways([], [], [])
    boxes = len(group)
    up, low, _ = without_cycles(boxes, upper, lower)
    below = longest_ways_down(boxes, up, low)
    above = [1 + height for height in longest_ways_down(boxes, low, up)]
    least, most = [boxes] * len(parent), [0] * len(parent)
    for box, frame in enumerate(group):
        if frame >= 0:
            least[frame] = min(least[frame], below[box])
            most[frame] = max(most[frame], below[box])
    for frame in range(len(parent) - 1, -1, -1):
        outer = parent[frame]
        if outer >= 0:
            least[outer] = min(least[outer], least[frame])
            most[outer] = max(most[outer], most[frame])
    through = [last - first + 1 for first, last in zip(least, most, strict=True)]
    return Ways(above, below, through)
