"""Tell the differences between two captures in few lines: whole modules, and repeats, in one."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator
from dataclasses import replace

import numpy as np

from autograd_inspect.analyses.contrasts import held_anew_by_node
from autograd_inspect.analyses.sides import sources_of
from autograd_inspect.model.diff import (
    ADDED,
    CHANGED,
    REMOVED,
    Change,
    Contrast,
    Diff,
    Difference,
    Drift,
    Fact,
    Summary,
)
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Call
from autograd_inspect.model.tables import Kind, Longs

_NUMBER = re.compile(r"\d+")


def summarise(diff: Diff, *, fold: bool = True) -> Summary:
    """Put the differences into lines; without `fold` there is one for each node."""
    changes = list(_changes(diff, fold=fold))
    drifts = sorted(_drifts(diff), key=lambda drift: -drift.factor)
    leaves = [drift for drift in drifts if drift.difference.node.kind is Kind.LEAF]
    return Summary(
        changes=tuple(_folded(changes) if fold else changes),
        drifts=tuple(leaves or drifts),
        drifted=(len(leaves), len(drifts) - len(leaves)),
    )


def _changes(diff: Diff, *, fold: bool) -> Iterator[Change]:
    """Give a line for each node, or for each module that was added or removed whole."""
    wholes = {
        mark: _Wholes(capture.graph, [one.node.index for one in diff if one.mark == mark])
        for mark, capture in ((REMOVED, diff.before), (ADDED, diff.after))
    }
    told: set[tuple[str, int]] = set()
    gone = _reasons(diff)
    reasons: dict[int, set[str]] = {}
    for one in diff.differences if fold else ():
        if one.mark == REMOVED and one.node.kind is Kind.LEAF:
            whole = wholes[REMOVED].around(one.node.index)
            reasons.setdefault(whole, set()).add(gone.get(_leaf_name(one), ""))
    for one in diff.differences:
        if one.mark == CHANGED:
            contrasts = tuple(c for c in one.contrasts if c.fact is not Fact.GRAD)
            if contrasts:
                yield _line(one, contrasts)
            continue
        whole = wholes[one.mark].around(one.node.index) if fold else -1
        if whole < 0:
            line = _line(one)
            reason = gone.get(_leaf_name(one), "") if line.leaves else ""
            yield replace(line, held=int(wholes[one.mark].held[one.node.index]), reason=reason)
        elif (one.mark, whole) not in told:
            told.add((one.mark, whole))
            line = wholes[one.mark].line(one, whole)
            known = reasons.get(whole, set()) if one.mark == REMOVED else set()
            yield replace(line, reason=next(iter(known)) if len(known) == 1 else "")


def _reasons(diff: Diff) -> dict[str, str]:
    """Say of tensors, by name, why they have no gradient after."""
    gradients = diff.after.gradients
    return {
        gradients.names[name]: Reason(reason).text
        for name, reason in zip(
            gradients.table.name.tolist(), gradients.table.reason.tolist(), strict=True
        )
    }


def _leaf_name(one: Difference) -> str:
    return one.node.leaf.name if one.node.leaf else ""


def _line(one: Difference, contrasts: tuple[Contrast, ...] = ()) -> Change:
    call = one.node.call
    module = call.module if call else None
    leaf = one.node.kind is Kind.LEAF
    where = one.node.graph.module_name(module) if module else _leaf_name(one)
    return Change(one, contrasts, int(not leaf), int(leaf), module=module, where=where)


class _Wholes:
    """The calls of a graph all of whose nodes have one mark, the outermost of them."""

    def __init__(self, graph: Graph, marked: list[int]) -> None:
        self._graph = graph
        self.held = held_anew_by_node(graph)
        chosen = np.zeros(len(graph), np.bool_)
        chosen[marked] = True
        self._call = _calls_of_leaves_too(graph)
        leaf = graph.node_table.kind == Kind.LEAF
        own = np.flatnonzero(~leaf)
        self._left = self._summed(np.where(chosen[own], 0, 1), own)
        self._nodes = self._summed(chosen[own].astype(np.int64), own)
        self._held = self._summed(self.held[own] * chosen[own], own)
        leaves = np.flatnonzero(leaf & chosen)
        self._leaves = self._summed(np.ones(len(leaves), np.int64), leaves)

    def around(self, node: int) -> int:
        """Give the outermost call around a node that has no other nodes, -1 for none."""
        call, found = int(self._call[node]), -1
        while call >= 0 and not self._left[call] and self._nodes[call]:
            found = call
            call = int(self._graph.call_table.parent[call])
        return found

    def line(self, one: Difference, call: int) -> Change:
        """Tell of all that a call made."""
        module = Call(self._graph, call).module
        return Change(
            first=one,
            nodes=int(self._nodes[call]),
            leaves=int(self._leaves[call]),
            held=int(self._held[call]),
            module=module,
            where=self._graph.module_name(module),
        )

    def _summed(self, values: Longs, nodes: Longs) -> list[int]:
        """Sum per call what it and the calls in it made."""
        parent = self._graph.call_table.parent.tolist()
        sums = np.zeros(len(parent) + 1, np.int64)
        np.add.at(sums, self._call[nodes], values)
        found: list[int] = sums.tolist()
        for call in range(len(parent) - 1, -1, -1):  # a parent comes before its children
            found[parent[call]] += found[call]
        return found


def _calls_of_leaves_too(graph: Graph) -> Longs:
    """Give the call of each node, to leaves that of their first user."""
    call = graph.node_table.call.astype(np.int64)
    defined = np.flatnonzero(graph.edge_table.target >= 0)[::-1]
    source, target = sources_of(graph)[defined], graph.edge_table.target[defined]
    of_leaf = call.copy()
    of_leaf[target] = call[source]
    return np.where(graph.node_table.kind == Kind.LEAF, of_leaf, call)


def _folded(changes: list[Change]) -> Iterator[Change]:
    """Tell what happened in several modules alike once, with the names of the others."""
    groups: dict[Hashable, list[Change]] = {}
    for change in changes:
        groups.setdefault(_likeness(change), []).append(change)
    for first, *others in groups.values():
        also = dict.fromkeys(one.where for one in others if one.where != first.where)
        yield replace(first, times=1 + len(others), also=tuple(also))


def _likeness(change: Change) -> Hashable:
    """Give what is equal for changes that differ in numbers in names only."""
    return (
        change.first.mark,
        change.first.node.op,
        tuple((c.fact, _unnumbered(c.before), _unnumbered(c.after)) for c in change.contrasts),
        (change.nodes, change.leaves, change.held, change.reason),
        _NUMBER.sub("#", change.where),
        change.module.cls if change.module else change.leaves or id(change),
    )


def _unnumbered(value: str | float) -> str | float:
    """Leave numbers out of names; those of shapes and sizes count."""
    if isinstance(value, str) and value[:1].isalpha() and "." in value:
        return _NUMBER.sub("#", value)
    return value


def _drifts(diff: Diff) -> Iterator[Drift]:
    for one in diff.differences:
        for contrast in one.contrasts:
            if contrast.fact is Fact.GRAD:
                yield Drift(one, contrast, _factor(contrast.before, contrast.after))


def _factor(before: str | float, after: str | float) -> float:
    """Say how far two norms lie apart; infinitely far where one is zero, missing or not finite."""
    if isinstance(before, str) or isinstance(after, str):
        return math.inf
    low, high = sorted((before, after))
    return high / low if low > 0 and math.isfinite(high) else math.inf
