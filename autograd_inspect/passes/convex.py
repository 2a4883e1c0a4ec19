"""Calls that can be drawn as a frame: no way through the graph leaves one and comes back.

What a module call made is such a set by nature: calls follow each other or lie in each other.
Graphs made in backward, hooks and threads may break that; then a call is dissolved, which means
that what it made is drawn one frame further out.
"""

from __future__ import annotations

from itertools import count

import numpy as np

from autograd_inspect.passes.calltree import CallTree
from autograd_inspect.passes.knots import knots_of
from autograd_inspect.passes.part import Part, Rows

#: So many times the one call that fits worst in each knot is dissolved, after that all in a knot.
_PATIENCE = 4


def without_cycles(tree: CallTree, inside: Rows, part: Part) -> tuple[CallTree, Rows]:
    """Dissolve calls until those side by side, drawn as one box each, are no cycle.

    `inside` has the call of each box; gives the tree and the calls of the boxes as they are then.
    """
    nodes = part.graph.node_table
    sequence = np.full(len(inside), -1, np.int64)
    sequence[: len(part)] = nodes.sequence[part.node]
    depth = np.full(len(inside), -1, np.int64)
    depth[: len(part)] = np.where(sequence[: len(part)] >= 0, nodes.depth[part.node], -1)
    for turn in count():
        ends = _ends_that_matter(tree, inside, part)
        if _runs_down(tree, inside, sequence, ends):
            break
        knots = knots_of(zip(*(end.tolist() for end in ends), strict=True))
        # Calls come after boxes in the numbers of what lies side by side.
        calls = [[item - len(inside) for item in knot if item > len(inside)] for knot in knots]
        if not any(calls):
            break
        scattered = _scattered(tree, inside, depth)
        dissolved = np.zeros(len(tree), np.bool_)
        for knot in filter(None, calls):
            worst = max(knot, key=lambda call: (scattered[call], call))
            dissolved[[worst] if turn < _PATIENCE else knot] = True
        tree, now = tree.without(dissolved)
        inside = now[inside]
    return tree, inside


def _ends_that_matter(tree: CallTree, inside: Rows, part: Part) -> tuple[Rows, Rows]:
    """Give what arrows lead from and to side by side, but for boxes that lead nowhere."""
    source, target = tree.siblings(inside, part.source, part.target)
    leads_on = np.ones(len(inside) + len(tree), np.bool_)
    leads_on[: len(inside)] = False
    leads_on[part.source] = True
    return source[leads_on[target]], target[leads_on[target]]


def _runs_down(tree: CallTree, inside: Rows, sequence: Rows, ends: tuple[Rows, Rows]) -> bool:
    """Tell whether all arrows lead from what was made later to what was made earlier.

    Then there is no cycle. It is so for all that one thread made, and costs little to find out.
    """
    first, last = _spans(tree, inside, sequence)
    source, target = ends
    return bool((np.append(sequence, first)[source] > np.append(sequence, last)[target]).all())


def _spans(tree: CallTree, inside: Rows, numbers: Rows) -> tuple[Rows, Rows]:
    """Give the smallest and the greatest number of the boxes in each call; -1 is none."""
    numbered = np.flatnonzero(numbers >= 0)
    first, last = np.full(len(tree), np.iinfo(np.int64).max), np.full(len(tree), -1)
    np.minimum.at(first, inside[numbered], numbers[numbered])
    np.maximum.at(last, inside[numbered], numbers[numbered])
    return tree.gathered(first, np.minimum.at), tree.gathered(last, np.maximum.at)


def _scattered(tree: CallTree, inside: Rows, depth: Rows) -> list[int]:
    """Say of each call how many more levels it spans than it has boxes."""
    first, last = _spans(tree, inside, depth)
    boxes = np.bincount(inside[depth >= 0], minlength=len(tree)).astype(np.int64)
    boxes = tree.gathered(boxes, np.add.at)
    more: list[int] = np.where(boxes > 0, last - first + 1 - boxes, 0).tolist()
    return more
