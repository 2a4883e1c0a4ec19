"""Fold what did not change: module calls into one each, and runs of other nodes.

Two folds may never lead to each other, or there would be a cycle. Two neighbours are joined only
where all that one leads to, or all that leads to the other, is the other of the two: then no way
leaves them and comes back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools
from autograd_inspect.passes.calltree import CallTree
from autograd_inspect.passes.knots import knots_of
from autograd_inspect.passes.part import Rows, edge_sources, is_leaf


def fold_unchanged(graph: Graph, shown: Bools, most: int) -> Rows:
    """Give each node that is not shown the number of its fold, from 0, -1 to those that are.

    `most` is how many folds there may be before those of calls are joined, too.
    """
    fold = _by_calls(graph, shown)
    folds = _Folds(graph, fold, shown)
    folds.dissolve_knots()
    folds.join(calls_too=False)
    if folds.count() > most:
        folds.join(calls_too=True)
    return folds.numbered()


def _by_calls(graph: Graph, shown: Bools) -> Rows:
    """Give each node that is not shown a unit: the outermost call with nothing shown, or itself.

    Units of calls are numbered behind the nodes.
    """
    unit = np.arange(len(graph))
    if not len(graph.call_table.module):
        return unit
    tree = CallTree.of(graph)
    leaf = is_leaf(graph)
    inside = np.zeros(len(tree), np.int64)
    np.add.at(inside, graph.node_table.call[shown & ~leaf] + 1, 1)
    visible = tree.gathered(inside, np.add.at) > 0
    visible[0] = True
    outermost = np.arange(len(tree))
    while True:
        outer = tree.parent[outermost]
        up = ~visible[outermost] & ~visible[outer]
        if not up.any():
            break
        outermost[up] = outer[up]
    call = outermost[graph.node_table.call + 1]
    hidden = ~shown & ~leaf & ~visible[call]
    return _with_own_leaves(graph, np.where(hidden, len(graph) + call, unit), shown)


def _with_own_leaves(graph: Graph, unit: Rows, shown: Bools) -> Rows:
    """Put leaves that only one call uses there."""
    source, target = edge_sources(graph), graph.edge_table.target
    used = np.flatnonzero(target >= 0)
    first, last = np.full(len(graph), np.iinfo(np.int64).max), np.full(len(graph), -1)
    np.minimum.at(first, target[used], unit[source[used]])
    np.maximum.at(last, target[used], unit[source[used]])
    own = is_leaf(graph) & ~shown & (first == last) & (last >= len(graph))
    return np.where(own, last, unit)


def calls_of_whole(graph: Graph, nodes: Rows) -> list[int]:
    """Give the module calls that made all of these nodes and no others, in order; none for few."""
    if len(nodes) == 1:
        return []
    own = nodes[~is_leaf(graph)[nodes]]
    if not len(own) or (graph.node_table.call[own] < 0).any():
        return []
    tree = CallTree.of(graph)
    made = np.bincount(graph.node_table.call + 1, minlength=len(tree))
    leaves = np.bincount(graph.node_table.call[is_leaf(graph)] + 1, minlength=len(tree))
    there = np.bincount(graph.node_table.call[own] + 1, minlength=len(tree))
    missing = tree.gathered((made - leaves - there).astype(np.int64), np.add.at)
    size = tree.gathered(there.astype(np.int64), np.add.at)
    whole = (missing == 0) & (size > 0)
    whole[0] = False
    top = whole & ~whole[tree.parent]
    covered = int(size[top].sum())
    return (np.flatnonzero(top) - 1).tolist() if covered == len(own) else []


class _Folds:
    """Units of nodes that are joined to folds, with what leads from and to each."""

    def __init__(self, graph: Graph, unit: Rows, shown: Bools) -> None:
        self._unit, self._nodes = unit, len(graph)
        self._shown = shown
        source, target = edge_sources(graph), graph.edge_table.target
        defined = target >= 0
        self._edges = source[defined], target[defined].astype(np.int64)
        self._ahead: dict[int, set[int]] = defaultdict(set)
        self._behind: dict[int, set[int]] = defaultdict(set)
        self._joined: dict[int, int] = {}

    def dissolve_knots(self) -> None:
        """Take apart calls on cycles, which only graphs made by several threads or hooks have."""
        while True:
            arrows = set(self._arrows())
            knots = knots_of(arrows)
            calls = [unit for knot in knots for unit in knot if unit >= self._nodes]
            if not calls:
                break
            own = np.isin(self._unit, calls)
            self._unit[own] = np.flatnonzero(own)
        for one, other in arrows:
            self._ahead[one].add(other)
            self._behind[other].add(one)

    def _arrows(self) -> Iterator[tuple[int, int]]:
        source, target = (self._unit[end] for end in self._edges)
        apart = source != target
        return zip(source[apart].tolist(), target[apart].tolist(), strict=True)

    def _free(self, unit: int, *, calls_too: bool) -> bool:
        if unit >= self._nodes:
            return calls_too
        return not self._shown[unit]

    def join(self, *, calls_too: bool) -> None:
        """Join what can be joined without making a cycle, as long as there is anything."""
        waiting = [unit for unit in self._ahead if self._free(unit, calls_too=calls_too)]
        while waiting:
            unit = waiting.pop()
            if unit in self._joined:
                continue
            for other in list(self._ahead[unit]):
                lonely = len(self._ahead[unit]) == 1 or len(self._behind[other]) == 1
                if lonely and self._free(other, calls_too=calls_too):
                    self._merge(other, unit)
                    waiting.append(unit)
                    waiting += (
                        one for one in self._behind[unit] if self._free(one, calls_too=calls_too)
                    )
                    break

    def _merge(self, unit: int, into: int) -> None:
        self._joined[unit] = into
        ahead, behind = self._ahead.pop(unit, set()), self._behind.pop(unit, set())
        for one in ahead - {into}:
            self._behind[one].discard(unit)
            self._behind[one].add(into)
            self._ahead[into].add(one)
        for one in behind - {into}:
            self._ahead[one].discard(unit)
            self._ahead[one].add(into)
            self._behind[into].add(one)
        self._ahead[into].discard(unit)
        self._behind[into].discard(unit)

    def count(self) -> int:
        """Count the folds there are so far."""
        hidden = self._unit[~self._shown]
        return len({self._end(unit) for unit in np.unique(hidden).tolist()})

    def _end(self, unit: int) -> int:
        while unit in self._joined:
            further = self._joined[unit]
            if further in self._joined:  # the next time the way is shorter
                self._joined[unit] = self._joined[further]
            unit = further
        return unit

    def numbered(self) -> Rows:
        """Give the folds numbers."""
        units, which = np.unique(self._unit, return_inverse=True)
        ends = np.array([self._end(unit) for unit in units.tolist()], np.int64)[which]
        fold = np.full(self._nodes, -1, np.int64)
        fold[~self._shown] = np.unique(ends[~self._shown], return_inverse=True)[1]
        return fold
