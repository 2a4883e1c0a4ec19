"""Module calls as a tree, and questions about it that are asked for a million nodes at once.

Number 0 is outside of all calls, call `row` of `CallTable` is number `row + 1`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.graph import Graph
from autograd_inspect.passes.part import Rows

OUTSIDE = 0


@dataclass(frozen=True, slots=True, eq=False)
class CallTree:
    """The calls of modules, each inside another or outside of all.

    parent  per call, the one it lies in; of OUTSIDE itself
    depth   per call, a number greater than that of its parent
    """

    parent: Rows
    depth: Rows

    @classmethod
    def of(cls, graph: Graph) -> CallTree:
        """Read the tree off a graph."""
        parent = np.append(OUTSIDE, graph.call_table.parent.astype(np.int64) + 1)
        depth = np.zeros(len(parent), np.int64)
        ancestor = parent
        while ancestor.any():
            # Each step up adds one until it is outside.
            depth += ancestor > OUTSIDE
            ancestor = parent[ancestor]
        depth[1:] += 1
        return cls(parent, depth)

    def __len__(self) -> int:
        """Count the calls, OUTSIDE among them."""
        return len(self.parent)

    def innermost_common(self, owner: Rows, call: Rows, owners: int) -> Rows:
        """Give per owner the innermost call that contains all of its calls.

        `owner` and `call` are pairs. An owner without any is outside.
        """
        call = call.copy()
        while True:
            depth = self.depth[call]
            least = np.full(owners, np.iinfo(np.int64).max)
            np.minimum.at(least, owner, depth)
            up = depth > least[owner]
            if not up.any():
                first, last = np.full(owners, len(self)), np.full(owners, OUTSIDE)
                np.minimum.at(first, owner, call)
                np.maximum.at(last, owner, call)
                up = (first < last)[owner]
                if not up.any():
                    return last
            call[up] = self.parent[call[up]]

    def siblings(self, inside: Rows, source: Rows, target: Rows) -> tuple[Rows, Rows]:
        """Give for each arrow between boxes what it leads from and to where both lie side by side.

        `inside` has the call of each box. What lies side by side in a call are boxes and calls: a
        call comes back as its number + the number of boxes.
        """
        boxes = len(inside)
        parent = np.concatenate([inside, self.parent])
        one, other = source.copy(), target.copy()
        apart = np.flatnonzero(parent[one] != parent[other])
        while len(apart):
            up, across = parent[one[apart]], parent[other[apart]]
            one[apart] = np.where(self.depth[up] >= self.depth[across], up + boxes, one[apart])
            other[apart] = np.where(
                self.depth[across] >= self.depth[up], across + boxes, other[apart]
            )
            apart = apart[parent[one[apart]] != parent[other[apart]]]
        return one, other

    def gathered(self, values: Rows, combine: Callable[..., object]) -> Rows:
        """Combine the value of each call with those of all calls in it: `np.minimum.at`."""
        values = values.copy()
        by_depth = np.argsort(-self.depth, kind="stable")
        ends = np.flatnonzero(np.diff(self.depth[by_depth])) + 1
        for calls in np.split(by_depth, ends)[:-1]:  # outside is the last
            combine(values, self.parent[calls], values[calls])
        return values

    def without(self, dissolved: npt.NDArray[np.bool_]) -> tuple[CallTree, Rows]:
        """Give the tree with what was in dissolved calls one further out, and where each is now.

        A call that is dissolved stays in the tree with nothing in it; it is now its parent.
        """
        now = np.where(dissolved, self.parent, np.arange(len(self)))
        while dissolved[now].any():
            now = now[now]
        return replace(self, parent=now[self.parent]), now
