"""Which node of one graph is which node of another, or none.

From the outermost module call inwards, the nodes and calls made in two calls that are the same are
put side by side, so that an inserted layer is one item more, whatever it does to the numbers of
those behind it. What that leaves over is found along the edges of what is paired; leaves are told
by who uses them, and by name where that does not tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograd_inspect.analyses.neighbours import Neighbours
from autograd_inspect.analyses.sequences import Keys, Stretch, align, out_of_order
from autograd_inspect.analyses.sides import OUTSIDE, Side, Words, side_of
from autograd_inspect.analyses.twins import are_twins, inverse_of, order_of
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Longs

# What equal facts of two nodes weigh. Only nodes of one operation can be the same.
_OP, _OUTPUTS, _SCALARS, _WEIGHTS, _VARIABLE = 16, 8, 4, 3, 1
# What equal facts of two calls weigh, for each of their nodes.
_NAME, _CLASS = 2, 1
#: Nodes that are found again in any other module, too, where they are no more than this.
_FEW = 3
#: Pairs of different structures that are compared in one stretch; beyond, they count as unlike.
_MOST_COMPARED = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Per node of one graph, and per call, its like in the other; -1 for none."""

    node: Longs
    call: Longs


def align_graphs(one: Graph, other: Graph) -> Alignment:
    """Find the like of each node and call of `one` in `other`.

    Which of several equally good ways is taken does not depend on which graph is which.
    """
    if are_twins(one, other):
        return Alignment(np.arange(len(one)), np.arange(len(one.call_table.module)))
    if order_of(one) > order_of(other):
        turned = _aligned(other, one)
        return Alignment(
            inverse_of(turned.node, len(one)), inverse_of(turned.call, len(one.call_table.module))
        )
    return _aligned(one, other)


def _aligned(one: Graph, other: Graph) -> Alignment:
    words = Words()
    flat = any((graph.node_table.call < 0).all() for graph in (one, other))
    sides = side_of(one, words, flat=flat), side_of(other, words, flat=flat)
    search = _Search(words, *sides)
    search.run()
    neighbours = Neighbours(*sides, search.node)
    neighbours.pair_operations()
    neighbours.pair_leaves()
    return Alignment(search.node, search.call if flat else _voted(sides, search))


def _voted(sides: tuple[Side, Side], search: _Search) -> Longs:
    """Pair calls anew by the pairs among the nodes made right in them, where there are any."""
    one, other = sides
    node = np.flatnonzero(search.node >= 0)
    here = one.graph.node_table.call[node]
    there = other.graph.node_table.call[search.node[node]]
    both = (here >= 0) & (there >= 0)
    pairs, votes = np.unique(np.stack([here[both], there[both]]), axis=1, return_counts=True)
    call, taken = search.call.copy(), np.zeros(len(other.name), np.bool_)
    voted = np.full(len(call), -1, np.int64)
    for place in np.argsort(-votes, kind="stable").tolist():
        row, beside = pairs[:, place].tolist()
        if voted[row] < 0 and not taken[beside]:
            voted[row] = beside
            taken[beside] = True
    call[(voted < 0) & (call >= 0) & taken[call]] = -1
    return np.where(voted >= 0, voted, call)


class _Search:
    """Pairs calls and what is made in them, from the outermost inwards."""

    def __init__(self, words: Words, one: Side, other: Side) -> None:
        self._words, self._one, self._other = words, one, other
        self.node = np.full(len(one), -1, np.int64)
        self.call = np.full(len(one.name), -1, np.int64)
        self._alike: dict[tuple[int, int], tuple[int, int]] = {}

    def run(self) -> None:
        """Pair what can be paired, call by call."""
        waiting = [(OUTSIDE, OUTSIDE)]
        while waiting:
            waiting += self._paired_inside(*waiting.pop())

    def _paired_inside(self, call: int, beside: int) -> list[tuple[int, int]]:
        """Pair the items of two calls; gives the calls among them."""
        items, others = self._opened(self._one.inside[call], self._other.inside[beside])
        moved = list(self._in_otherorder_of(items, others))
        items = items[~np.isin(items, [i for i, _ in moved])]
        others = others[~np.isin(others, [j for _, j in moved])]
        keys = Keys(
            (self._one.same[items], self._other.same[others]),
            (self._one.alike[items], self._other.alike[others]),
            (self._one.kind[items], self._other.kind[others]),
        )
        found = align(keys, lambda stretch: self._scores(stretch, items, others))
        pairs = [(int(items[i]), int(others[j])) for i, j in found]
        pairs += [*moved, *self._left_over(items, others, pairs)]
        nodes, beyond = len(self._one), len(self._other)
        calls = [(i - nodes, j - beyond) for i, j in pairs if i >= nodes]
        for i, j in pairs:
            if i < nodes:
                self.node[i] = j
        for i, j in calls:
            self.call[i] = j
        return calls

    def _opened(self, items: Longs, others: Longs) -> tuple[Longs, Longs]:
        """Look into a call that is all there is on one side: a wrapper adds nothing of its own."""
        one, other = self._one, self._other
        while True:
            alone, beside = _only_call(one, items), _only_call(other, others)
            if alone is not None and beside is None and self._wraps(one, alone, other, others):
                items = one.inside[alone]
            elif beside is not None and alone is None and self._wraps(other, beside, one, items):
                others = other.inside[beside]
            else:
                return items, others

    def _wraps(self, side: Side, call: int, beyond: Side, items: Longs) -> bool:
        """Tell whether a call is like several items together rather than like one of them."""
        looks = self._words.structures[int(side.shape[call])].looks
        whole: Counter[int] = Counter()
        most = 0
        for item in items.tolist():
            row = item - len(beyond)
            if row >= 0:
                part = self._words.structures[int(beyond.shape[row])].looks
            else:
                part = Counter({int(beyond.alike[item]): 1})
            whole.update(part)
            most = max(most, (looks & part).total())
        return most < (looks & whole).total()

    def _in_otherorder_of(self, items: Longs, others: Longs) -> Iterator[tuple[int, int]]:
        """Pair calls that are the same, names included, and run in another order now.

        Names that are places in a list say nothing here: an inserted layer moves them.
        """
        here = _steady(self._one, items)
        there = _steady(self._other, others)
        both = [(item, there[key]) for key, item in here.items() if key in there]
        place = {item: turn for turn, item in enumerate(others.tolist())}
        for row in out_of_order([place[j] for _, j in both]):
            yield both[row]

    def _left_over(
        self, items: Longs, others: Longs, pairs: list[tuple[int, int]]
    ) -> Iterator[tuple[int, int]]:
        """Pair calls that are left by name, and nodes that are left by the leaves they use."""
        left: dict[tuple[int, ...], list[int]] = defaultdict(list)
        taken = {j for _, j in pairs}
        for j in others.tolist():
            if j not in taken and (key := _key(self._other, j)):
                left[key].append(j)
        done = {i for i, _ in pairs}
        for i in items.tolist():
            if i not in done and (key := _key(self._one, i)) and left[key]:
                yield i, left[key].pop(0)

    def _scores(self, stretch: Stretch, items: Longs, others: Longs) -> Longs:
        """Score the pairs of a stretch; a node and a call are never the same."""
        here = items[stretch.first : stretch.last]
        there = others[stretch.start : stretch.stop]
        scores = np.zeros((len(here), len(there)), np.int64)
        nodes, beyond = len(self._one), len(self._other)
        for pick, score in ((np.less, self._node_scores), (np.greater_equal, self._call_scores)):
            rows, columns = np.flatnonzero(pick(here, nodes)), np.flatnonzero(pick(there, beyond))
            if len(rows) and len(columns):
                scores[np.ix_(rows, columns)] = score(here[rows], there[columns])
        return scores

    def _node_scores(self, here: Longs, there: Longs) -> Longs:
        one, other = self._one, self._other

        def equal(name: str, *, but: int = -1) -> Longs:
            left, right = getattr(one, name)[here], getattr(other, name)[there]
            both: Longs = (left[:, None] == right[None]) & (left != but)[:, None]
            return both

        signs = (
            _OP
            + _OUTPUTS * equal("outputs")
            + _SCALARS * equal("scalars")
            + _WEIGHTS * equal("weights", but=0)
            + _VARIABLE * equal("variable", but=0)
        )
        return np.where(equal("op"), signs, 0)

    def _call_scores(self, here: Longs, there: Longs) -> Longs:
        one, other = self._one, self._other
        rows, columns = here - len(one), there - len(other)
        left, which = np.unique(one.shape[rows], return_inverse=True)
        right, where = np.unique(other.shape[columns], return_inverse=True)
        likeness = np.zeros((2, len(left), len(right)), np.int64)
        close = len(left) * len(right) <= _MOST_COMPARED
        for i, shape in enumerate(left.tolist()):
            for j in range(len(right)) if close else np.flatnonzero(right == shape).tolist():
                likeness[:, i, j] = self._likeness(shape, int(right[j]))
        score, enough = likeness[:, which[:, None], where[None]]
        size = np.minimum.outer(one.size[rows], other.size[columns])
        same_name = one.name[rows][:, None] == other.name[columns][None]
        same_class = one.cls[rows][:, None] == other.cls[columns][None]
        score = score + same_name * (1 + _NAME * size) + same_class * _CLASS * size
        return np.where(same_name | (enough > 0), score, 0)

    def _likeness(self, shape: int, beside: int) -> tuple[int, int]:
        """Score two structures, and tell whether that is enough for them to be the same.

        It is where half of both are the same operations, or all of one is found in the other.
        """
        key = shape, beside
        if key not in self._alike:
            one, other = self._words.structures[shape], self._words.structures[beside]
            ops = (one.ops & other.ops).total()
            looks = (one.looks & other.looks).total()
            score = _OP * ops + (_OUTPUTS + _SCALARS) * looks
            contained = looks == min(one.size, other.size) >= _FEW
            self._alike[key] = score, int(2 * ops >= max(one.size, other.size) or contained)
        return self._alike[key]


def _steady(side: Side, items: Longs) -> dict[int, int]:
    """Give the calls among items by all that is known of them, where no two are equal in that."""
    calls = [item for item in items.tolist() if item >= len(side)]
    keys = [int(side.same[item]) for item in calls]
    times = Counter(keys)
    return {
        key: item
        for key, item in zip(keys, calls, strict=True)
        if times[key] == 1 and not side.numbered[item - len(side)]
    }


def _key(side: Side, item: int) -> tuple[int, ...]:
    """Give what an item is known by wherever it stands; nothing for a node that uses no leaf."""
    row = item - len(side)
    if row >= 0:
        return int(side.name[row]), int(side.cls[row])
    if not side.weights[item]:
        return ()
    return (int(side.op[item]), int(side.outputs[item]), int(side.weights[item]))


def _only_call(side: Side, items: Longs) -> int | None:
    """Give the row of the call that is the only item, None where there is more or none."""
    if len(items) != 1 or items[0] < len(side):
        return None
    return int(items[0]) - len(side)
