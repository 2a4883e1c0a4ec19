"""Pair what is left of two graphs along the edges of what is paired already."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from autograd_inspect.analyses.sides import Side, sources_of
from autograd_inspect.model.tables import Kind, Longs

Slots = list[int]


class _Edges:
    """The edges of one graph, both ways, as lists: a few nodes are looked at, one at a time."""

    def __init__(self, side: Side) -> None:
        graph = side.graph
        table = graph.edge_table
        self._start, self._target = table.start.tolist(), table.target.tolist()
        rows = np.argsort(table.target, kind="stable")
        self._users = sources_of(graph)[rows].tolist()
        self._slots = (rows - table.start[sources_of(graph)[rows]]).tolist()
        self._first = np.searchsorted(table.target[rows], np.arange(len(graph) + 1)).tolist()
        self.op = side.op.tolist()
        self.leaf = (graph.node_table.kind == Kind.LEAF).tolist()

    def targets(self, node: int) -> Slots:
        """Give what the slots of a node lead to, -1 for nothing."""
        found: Slots = self._target[self._start[node] : self._start[node + 1]]
        return found

    def users(self, node: int) -> list[tuple[int, int]]:
        """Give the nodes that lead to this one, each with the slot that does."""
        rows = slice(self._first[node], self._first[node + 1])
        return list(zip(self._users[rows], self._slots[rows], strict=True))


class Neighbours:
    """Adds pairs to `like`, which has per node of one graph its like in the other, -1 for none."""

    def __init__(self, one: Side, other: Side, like: Longs) -> None:
        self._sides = one, other
        self._like = like
        self._one, self._other = _Edges(one), _Edges(other)
        self._to, self._back = like.tolist(), [-1] * len(other)
        for node, beside in enumerate(self._to):
            if beside >= 0:
                self._back[beside] = node

    def pair_operations(self) -> None:
        """Pair nodes that pairs lead to, or that lead to pairs, in the same way.

        First those of the same operation; then those that stand between the same two, where another
        operation has taken the place of one.
        """
        waiting = [node for node, beside in enumerate(self._to) if beside >= 0]
        if not any(self._to[node] < 0 for node in self._sides[0].order.tolist()):
            return
        while waiting:
            node = waiting.pop()
            waiting += self._inputs_of(node, self._to[node])
            waiting += self._users_of(node, self._to[node])
        self._pair_replaced()
        self._like[:] = self._to

    def _take(self, node: int, beside: int) -> int:
        self._to[node], self._back[beside] = beside, node
        return node

    def _free(self, node: int, beside: int) -> bool:
        return (
            node >= 0
            and beside >= 0
            and self._to[node] < 0
            and self._back[beside] < 0
            and not self._one.leaf[node]
            and not self._other.leaf[beside]
        )

    def _inputs_of(self, node: int, beside: int) -> list[int]:
        """Pair what the same slots of two nodes lead to."""
        return [
            self._take(here, there)
            for here, there in zip(
                self._one.targets(node), self._other.targets(beside), strict=False
            )
            if self._free(here, there) and self._one.op[here] == self._other.op[there]
        ]

    def _users_of(self, node: int, beside: int) -> list[int]:
        """Pair the users of two nodes that no other user can be mistaken for."""
        here: dict[tuple[int, int], list[int]] = defaultdict(list)
        there: dict[tuple[int, int], list[int]] = defaultdict(list)
        for user, slot in self._one.users(node):
            if self._to[user] < 0:
                here[self._one.op[user], slot].append(user)
        if not here:
            return []
        for user, slot in self._other.users(beside):
            if self._back[user] < 0:
                there[self._other.op[user], slot].append(user)
        return [
            self._take(users[0], there[key][0])
            for key, users in here.items()
            if len(users) == len(there.get(key, ())) == 1 and self._free(users[0], there[key][0])
        ]

    def _pair_replaced(self) -> None:
        for node in self._sides[0].order.tolist():
            if self._to[node] >= 0:
                continue
            for user, slot in self._one.users(node):
                beside = self._to[user]
                slots = self._other.targets(beside) if beside >= 0 else []
                there = slots[slot] if slot < len(slots) else -1
                if self._free(node, there) and self._same_inputs(node, there):
                    self._take(node, there)
                    break

    def _same_inputs(self, node: int, beside: int) -> bool:
        """Tell whether an input of one is the like of an input of the other."""
        likes = {self._to[target] for target in self._one.targets(node) if target >= 0} - {-1}
        return bool(likes & set(self._other.targets(beside)))

    def pair_leaves(self) -> None:
        """Pair leaves by the slots that lead to them, then by name."""
        one, other = (side.graph for side in self._sides)
        names = [
            {
                node: graph.name(name)
                for node, name in zip(
                    graph.leaf_table.node.tolist(), graph.leaf_table.name.tolist(), strict=True
                )
            }
            for graph in (one, other)
        ]
        votes: dict[tuple[int, int], int] = defaultdict(int)
        for leaf in names[0]:
            for user, slot in self._one.users(leaf):
                slots = self._other.targets(self._to[user]) if self._to[user] >= 0 else []
                if slot < len(slots) and slots[slot] >= 0 and self._other.leaf[slots[slot]]:
                    votes[leaf, slots[slot]] += 2
        by_name = {name: leaf for leaf, name in reversed(names[1].items()) if name}
        for leaf, name in names[0].items():
            if name in by_name:
                votes[leaf, by_name[name]] += 1
        for (leaf, beside), _ in sorted(votes.items(), key=lambda item: -item[1]):
            if self._to[leaf] < 0 and self._back[beside] < 0:
                self._take(leaf, beside)
        self._like[:] = self._to
