"""The paths from a tensor to the roots: how many, which, and what all of them run through.

Counted by dynamic programming over the nodes in topological order, between one node that all paths
run through and the next: ten thousand doublings are a product of ten thousand small numbers, not
sums of numbers of three thousand digits. Only where ways never meet do the sums themselves grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest

import numpy as np

from autograd_inspect.analyses.tensors import Tensor, find_tensor
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.flow import Cut
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.paths import Paths, Way
from autograd_inspect.model.tables import Ints, Longs


def find_paths(capture: Capture, name: str, *, top: int) -> Paths:
    """Find the paths from a tensor to the roots; at most `top` of them are given in full.

    `name` is that of a leaf, root or variable, the end of such a name, or the number of a node.
    Raises UsageError where it is none or several.
    """
    if top < 0:
        raise UsageError(f"cannot show {top} paths", hint="give a number from 0 on")
    tensor = find_tensor(capture, name)
    cuts = _cuts(capture.graph, tensor)
    if tensor.node < 0:
        return Paths(capture, tensor.name, reason=tensor.reason.text, cuts=cuts)
    part = _Part.above(capture.graph, tensor.node)
    counts = _count(part, top)
    reached = set(part.node[np.array(part.targets(0)) - 1].tolist())
    every = sorted(_ways(part), key=len) if counts.sequences <= top else []
    return Paths(
        capture,
        tensor.name,
        index=tensor.node,
        count=_product(counts.ways),
        shortest=counts.shortest,
        longest=counts.longest,
        nodes=len(part.node),
        roots=tuple(root for root in capture.graph.roots if root.node.index in reached),
        every=tuple(every),
        trunk=part.trunk_way(counts.ways),
        direct=part.way(_follow(counts.nearest)),
        norms=_norms(capture),
        cuts=cuts,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The part of a graph that lies between the roots and one tensor.

    Its nodes are counted in topological order from the roots' side, from 1; 0 stands before the
    roots, with an edge to each. All sums over paths run from the last, the tensor, to 0.

    node    their numbers in the graph
    start   per place, where its edges begin in `target`
    target  the places that they lead to
    trunk   the places that every path runs through, from 0 to the last
    """

    node: Ints
    start: list[int]
    target: list[int]
    trunk: Longs

    @classmethod
    def above(cls, graph: Graph, node: int) -> _Part:
        """Cut out what leads to a node."""
        nodes = _users_of(graph, node)
        place = np.zeros(len(graph), np.int64)
        place[nodes] = np.arange(1, len(nodes) + 1)
        roots = np.unique(place[graph.root_table.node])
        source = np.repeat(place, np.diff(graph.edge_table.start))
        target = np.where(graph.edge_table.target >= 0, place[graph.edge_table.target], 0)
        inside = (source > 0) & (target > 0)
        source = np.concatenate([np.zeros(np.count_nonzero(roots), np.int64), source[inside]])
        target = np.concatenate([roots[roots > 0], target[inside]])
        order = np.argsort(source, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=len(nodes) + 1))])
        return cls(
            nodes, start.tolist(), target[order].tolist(), _trunk(source, target, len(nodes))
        )

    def targets(self, place: int) -> list[int]:
        """Give the places that the edges of one lead to."""
        return self.target[self.start[place] : self.start[place + 1]]

    def way(self, places: list[int]) -> Way:
        """Make a way of the places that edges lead through, the first of which is 0."""
        ways = [self.targets(place).count(following) for place, following in pairwise(places)]
        return self._told(np.array(places, np.int64), ways, np.zeros(len(ways), np.int64))

    def trunk_way(self, ways: list[int]) -> Way:
        """Make a way of the nodes that all paths run through."""
        return self._told(self.trunk, ways, np.diff(self.trunk) - 1)

    def _told(self, places: Longs, ways: list[int], between: Longs) -> Way:
        """Turn places that begin with 0 around, to begin with the tensor."""
        return Way(self.node[places[:0:-1] - 1], tuple(reversed(ways)), between[::-1])


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the sums over the paths come to.

    ways       between each place of the trunk and the next, how many paths there are
    sequences  paths that differ in their nodes, counted up to one more than asked for
    shortest   nodes on the shortest path
    longest    nodes on the longest path
    nearest    per place, the next one on the shortest path
    """

    ways: list[int]
    sequences: int
    shortest: int
    longest: int
    nearest: list[int]


def _count(part: _Part, most: int) -> _Counts:
    """Sum over all paths, place by place from the tensor to 0."""
    last = len(part.node)
    ahead, sequences = [0] * (last + 1), [0] * (last + 1)
    near, far, nearest = [0] * (last + 1), [0] * (last + 1), [0] * (last + 1)
    users = np.bincount(part.target, minlength=last + 1).tolist()
    on_trunk = np.zeros(last + 1, np.bool_)
    on_trunk[part.trunk] = True
    meets = on_trunk.tolist()
    ahead[last] = sequences[last] = near[last] = far[last] = 1
    ways: list[int] = []
    for place in range(last - 1, -1, -1):
        targets = part.targets(place)
        total = 0
        for target in targets:
            total += ahead[target]
            users[target] -= 1
            if not users[target]:
                ahead[target] = 0  # a number of a million digits is not kept longer than needed
        if meets[place]:
            ways.append(total)
            total = 1
        ahead[place] = total
        following = set(targets)
        sequences[place] = min(sum([sequences[target] for target in following]), most + 1)
        nearest[place] = min(targets, key=near.__getitem__)
        near[place] = 1 + near[nearest[place]]
        far[place] = 1 + max([far[target] for target in targets])
    ways.reverse()
    return _Counts(ways, sequences[0], near[0] - 1, far[0] - 1, nearest)


def _product(numbers: list[int]) -> int:
    """Multiply neighbours, then the results, so that large numbers only meet large ones."""
    while len(numbers) > 1:
        pairs = zip_longest(numbers[::2], numbers[1::2], fillvalue=1)
        numbers = [one * other for one, other in pairs]
    return numbers[0]


def _ways(part: _Part) -> Iterator[Way]:
    """Write out all paths, those along the same nodes once."""
    last = len(part.node)
    places, choices = [0], [iter(dict.fromkeys(part.targets(0)))]
    while choices:
        place = next(choices[-1], None)
        if place is None:
            choices.pop()
            places.pop()
        elif place == last:
            yield part.way([*places, last])
        else:
            places.append(place)
            choices.append(iter(dict.fromkeys(part.targets(place))))


def _follow(nearest: list[int]) -> list[int]:
    """Follow the shortest path from 0 to the last place."""
    places = [0]
    while places[-1] < len(nearest) - 1:
        places.append(nearest[places[-1]])
    return places


def _users_of(graph: Graph, node: int) -> Ints:
    """Give the nodes that lead to one, itself included, each before those it leads to."""
    target = graph.edge_table.target
    by_target = np.argsort(target, kind="stable")
    source = np.repeat(np.arange(len(graph)), np.diff(graph.edge_table.start))[by_target].tolist()
    start = np.searchsorted(target[by_target], np.arange(len(graph) + 1)).tolist()
    found, waiting = bytearray(len(graph)), [node]
    found[node] = 1
    while waiting:
        at = waiting.pop()
        for user in source[start[at] : start[at + 1]]:
            if not found[user]:
                found[user] = 1
                waiting.append(user)
    nodes = np.flatnonzero(np.frombuffer(found, np.uint8))
    return nodes[np.argsort(graph.node_table.depth[nodes], kind="stable")].astype(np.int32)


def _trunk(source: Longs, target: Longs, last: int) -> Longs:
    """Find the places that no edge passes over: each path comes through there."""
    opened = np.bincount(source + 1, minlength=last + 2)
    closed = np.bincount(target, minlength=last + 2)
    return np.flatnonzero(np.cumsum(opened - closed)[: last + 1] == 0)


def _norms(capture: Capture) -> dict[int, float]:
    table = capture.gradients.table
    known = (table.node >= 0) & (table.reason == Reason.ARRIVED)
    return dict(zip(table.node[known].tolist(), table.norm[known].tolist(), strict=True))


def _cuts(graph: Graph, tensor: Tensor) -> tuple[Cut, ...]:
    """Find the places where values of the tensor lost their graph."""
    names = {tensor.name, *tensor.names}
    rows = [row for row, name in enumerate(graph.names) if name in names]
    table = graph.cut_leaf_table
    found = np.unique(table.cut[np.isin(table.name, rows)])
    return tuple(Cut(graph, row) for row in found.tolist())
