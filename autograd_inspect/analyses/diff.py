"""What changed from one capture to another."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from autograd_inspect.analyses.alignment import Alignment, align_graphs
from autograd_inspect.analyses.contrasts import (
    Facing,
    arrived_norms,
    contrasts_of,
    held_by_node,
    rewired,
)
from autograd_inspect.analyses.sides import forward_order, sources_of
from autograd_inspect.analyses.words import check_aspects
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Backward, Capture, Recording
from autograd_inspect.model.diff import (
    ADDED,
    CHANGED,
    FACTS_OF,
    REMOVED,
    TOLERANCE,
    USUAL_ASPECTS,
    Contrast,
    Diff,
    Difference,
    Fact,
    PairTable,
    Renamed,
    Totals,
)
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Longs, SavedState


def diff(
    before: Capture,
    after: Capture,
    *,
    what: Collection[str] = USUAL_ASPECTS,
    tolerance: float = TOLERANCE,
) -> Diff:
    """Align two captures, and find what was added, removed and changed.

    `what` is which of `ASPECTS` to compare; what was added or removed is found in any case. Norms
    that differ by up to `tolerance`, as a share of the larger, count as equal.
    """
    check_aspects(what)
    if not 0 <= tolerance < 1:
        raise UsageError(f"a tolerance of {tolerance:g}: give a share from 0 to below 1")
    alignment = align_graphs(before.graph, after.graph)
    one = np.flatnonzero(alignment.node >= 0)
    facing = Facing(before, after, alignment, one, alignment.node[one])
    renamed = tuple(_renamed(facing))
    facts = contrasts_of(facing, tolerance) & sum(FACTS_OF[name] for name in what)
    facts = _without_implied_names(facing, facts, renamed)
    pairs = _pairs(facing, facts)
    return Diff(
        before=before,
        after=after,
        pairs=pairs,
        calls=alignment.call,
        compared=tuple(what),
        tolerance=tolerance,
        renamed=renamed if "structure" in what else (),
        rewired=int(rewired(facing).sum()),
        totals=_totals(before.graph, after.graph),
        notes=tuple(_notes(before, after)),
        differences=tuple(_Writer(before, after, alignment).differences(pairs)),
    )


def _pairs(facing: Facing, facts: Longs) -> PairTable:
    """Put all nodes of both into one order: that of the graph after, the removed in between."""
    one, other = facing.graphs
    like = facing.alignment.node
    fact = np.zeros(len(one), np.int64)
    fact[facing.one] = facts
    order = _reading_order(other)
    place = np.empty(len(other), np.int64)
    place[order] = np.arange(len(order))
    before = _reading_order(one)
    here = np.where(like[before] >= 0, place[like[before]], -1)
    # What was removed comes behind the last of those before it that are still there.
    behind = np.maximum.accumulate(np.where(here >= 0, here, -1)) if len(here) else here
    gone = np.flatnonzero(here < 0)
    new = np.ones(len(other), np.bool_)
    new[facing.other] = False
    added = np.flatnonzero(new)
    kept = facing.one
    rows = np.concatenate(
        [
            np.stack([kept, like[kept], fact[kept]]),
            np.stack([np.full(len(added), -1), added, np.zeros(len(added), np.int64)]),
            np.stack([before[gone], np.full(len(gone), -1), np.zeros(len(gone), np.int64)]),
        ],
        axis=1,
    )
    key = np.concatenate([place[like[kept]], place[added], behind[gone]])
    turn = np.concatenate([np.zeros(len(kept) + len(added), np.int64), 1 + np.arange(len(gone))])
    rows = rows[:, np.lexsort((turn, key))].astype(np.int32)
    return PairTable(before=rows[0], after=rows[1], facts=rows[2])


def _reading_order(graph: Graph) -> Longs:
    """Give the nodes in forward order, each leaf right before its first user."""
    place = np.full(len(graph), len(graph), np.int64)
    order = forward_order(graph)
    place[order] = np.arange(len(order))
    defined = graph.edge_table.target >= 0
    source, target = sources_of(graph)[defined], graph.edge_table.target[defined]
    leaf = np.zeros(len(graph), np.bool_)
    leaf[graph.leaf_table.node] = True
    to_leaf = leaf[target]
    np.minimum.at(place, target[to_leaf], place[source[to_leaf]])
    return np.lexsort((np.arange(len(graph)), ~leaf, place))


def _renamed(facing: Facing) -> Iterator[Renamed]:
    """Find modules that go by another name; those in a renamed one follow from it."""
    one, other = facing.graphs
    seen = set()
    explained: dict[str, str] = {}
    for call, like in enumerate(facing.alignment.call.tolist()):
        if like < 0:
            continue
        before = one.modules[int(one.call_table.module[call])]
        after = other.modules[int(other.call_table.module[like])]
        parent = int(one.call_table.parent[call])
        outer = one.modules[int(one.call_table.module[parent])].full_name if parent >= 0 else ""
        name, now = before.full_name, after.full_name
        if outer in explained and name.startswith(f"{outer}."):
            expected = explained[outer] + name[len(outer) :]
        else:
            expected = name
        explained[name] = now
        changed = now != expected or before.cls != after.cls
        if changed and (before, after) not in seen:
            seen.add((before, after))
            yield Renamed(before, after)


def _without_implied_names(facing: Facing, facts: Longs, renamed: tuple[Renamed, ...]) -> Longs:
    """Take away the new names of leaves that follow from new names of their modules."""
    one, other = facing.graphs
    rows = np.flatnonzero(facts & Fact.NAME)
    now = {change.before.full_name: change.after.full_name for change in renamed}
    facts = facts.copy()
    for row in rows.tolist():
        before, after = one.node(int(facing.one[row])).leaf, other.node(int(facing.other[row])).leaf
        if before and after and _follows(before.name, after.name, now):
            facts[row] &= ~int(Fact.NAME)
    return facts


def _follows(name: str, now: str, renamed: dict[str, str]) -> bool:
    module = name
    while module:
        module = module.rpartition(".")[0]
        if module in renamed:
            return now == renamed[module] + name[len(module) :]
    return False


def _totals(before: Graph, after: Graph) -> Totals:
    graphs = before, after
    return Totals(
        nodes=(len(before), len(after)),
        edges=(before.edge_count, after.edge_count),
        leaves=(len(before.leaf_table.node), len(after.leaf_table.node)),
        held=(_held(graphs[0]), _held(graphs[1])),
    )


def _held(graph: Graph) -> int:
    """Sum the bytes that are held for backward, each storage once."""
    table = graph.saved_table
    rows = np.flatnonzero((table.state != SavedState.FREED) & (table.storage >= 0))
    _, first = np.unique(table.storage[rows], return_index=True)
    return int(table.bytes[rows[first]].sum())


def _notes(before: Capture, after: Capture) -> Iterator[str]:
    """Say what keeps two captures from being compared in all respects."""
    for word, capture in (("before", before), ("after", after)):
        if capture.about.partial:
            yield f"{word}: partial: {capture.about.partial}"
        if capture.about.error:
            yield f"{word}: backward raised: {capture.about.error}"
    recorded = [capture.about.recording for capture in (before, after)]
    if recorded.count(Recording.NONE) == 1:
        word = ("before", "after")[recorded.index(Recording.NONE)]
        yield f"{word}: modules and lines were not recorded: aligned by operations alone"
    omitted = [", ".join(capture.about.omitted) or "nothing" for capture in (before, after)]
    if omitted[0] != omitted[1]:
        yield f"not recorded: {omitted[0]} before, {omitted[1]} after"
    versions = [dict(capture.about.versions).get("torch", "") for capture in (before, after)]
    if versions[0] != versions[1] and all(versions):
        yield f"torch {versions[0]} before, {versions[1]} after"
    run = [capture.about.backward is not Backward.NOT_RUN for capture in (before, after)]
    if run[0] != run[1]:
        yield f"no backward {'after' if run[0] else 'before'}: gradients were not compared"


class _Writer:
    """Reads what differs in pairs off both graphs."""

    def __init__(self, before: Capture, after: Capture, alignment: Alignment) -> None:
        self._captures = before, after
        self._like = alignment.node
        self._norms = arrived_norms(before), arrived_norms(after)
        self._held = held_by_node(before.graph), held_by_node(after.graph)

    def differences(self, pairs: PairTable) -> Iterator[Difference]:
        """Give what was added, removed or changed."""
        before, after = (capture.graph for capture in self._captures)
        rows = np.flatnonzero((pairs.facts != 0) | (pairs.before < 0) | (pairs.after < 0))
        columns = (column[rows].tolist() for column in (pairs.before, pairs.after, pairs.facts))
        for one, other, facts in zip(*columns, strict=True):
            if one < 0:
                yield Difference(ADDED, None, after.node(other))
            elif other < 0:
                yield Difference(REMOVED, before.node(one), None)
            else:
                here, there = before.node(one), after.node(other)
                found = tuple(self._contrasts(here, there, Fact(facts)))
                yield Difference(CHANGED, here, there, found)

    def _contrasts(self, here: Node, there: Node, facts: Fact) -> Iterator[Contrast]:
        for fact in Fact:
            if fact in facts:
                yield Contrast(fact, *self._values(here, there, fact))

    def _values(self, here: Node, there: Node, fact: Fact) -> tuple[str | float, str | float]:
        """Give what a fact was and what it is."""
        if fact is Fact.GRAD:
            return self._norm(0, here), self._norm(1, there)
        if fact is Fact.SAVED:
            return self._saved(here, there)
        if fact is Fact.INPUTS:
            return self._inputs(here, there)
        if fact is Fact.SCALARS:
            return _scalars(here, there)
        return _READ[fact](here), _READ[fact](there)

    def _norm(self, side: int, node: Node) -> str | float:
        norms, known = self._norms[side]
        if known[node.index]:
            return float(norms[node.index])
        rows = self._captures[side].gradients.table
        found = rows.reason[rows.node == node.index]
        return (Reason(found[0]).text if len(found) else "") or "none"

    def _saved(self, here: Node, there: Node) -> tuple[str | int, str | int]:
        """Give bytes; where these are equal, what tells the saved tensors apart."""
        before, after = (
            int(held[node.index]) for held, node in zip(self._held, (here, there), strict=True)
        )
        packed = _packers(here), _packers(there)
        if before != after and packed[0] == packed[1]:
            return before, after
        if packed[0] != packed[1]:
            return packed[0] or before, packed[1] or after
        return _saved_text(here), _saved_text(there)

    def _inputs(self, here: Node, there: Node) -> tuple[str, str]:
        """Name what the first slot that leads elsewhere led to, and leads to."""
        before = [edge.target for edge in here.edges]
        after = [edge.target for edge in there.edges]
        for one, other in zip(before, after, strict=False):
            like = int(self._like[one.index]) if one else -1
            if like != (other.index if other else -1):
                return _called(one), _called(other)
        return f"{len(before)} inputs", f"{len(after)} inputs"


def _called(node: Node | None) -> str:
    if node is None:
        return "nothing"
    name = node.leaf.name if node.leaf else node.variable
    return name or node.title


def _scalars(here: Node, there: Node) -> tuple[str, str]:
    """Write the scalars that differ."""
    before, after = here.attributes, there.attributes
    names = [name for name in {**before, **after} if before.get(name, ...) != after.get(name, ...)]
    texts = [
        ", ".join(f"{name}={of[name]}" for name in names if name in of) for of in (before, after)
    ]
    return texts[0] or "none", texts[1] or "none"


def _packers(node: Node) -> str:
    """Say who packed what a node saves, empty where any of it was not packed."""
    saved = node.saved
    if not saved or any(one.state is not SavedState.PACKED for one in saved):
        return ""
    names = sorted({one.packer or "a hook" for one in saved})
    return f"packed by {', '.join(names)}"


def _saved_text(node: Node) -> str:
    parts = [
        f"{one.name} {one.spec.shape_text if one.spec else one.state.name.lower()}"
        + (f" by {one.packer}" if one.packer else "")
        for one in node.saved
    ]
    return ", ".join(parts) or "nothing"


def _outputs(node: Node) -> str:
    return ", ".join(str(spec) if spec else "unknown" for spec in node.outputs)


def _module(node: Node) -> str:
    return node.call.module.full_name or node.call.module.name if node.call else ""


def _place(node: Node) -> str:
    return f"{node.place.file}:{node.place.line}" if node.place else ""


_READ = {
    Fact.OP: lambda node: node.op,
    Fact.MODULE: _module,
    Fact.NAME: lambda node: node.leaf.name if node.leaf else "",
    Fact.REQUIRES_GRAD: lambda node: str(bool(node.leaf and node.leaf.requires_grad)),
    Fact.SHAPE: _outputs,
    Fact.TIME: lambda node: node.graph.node_times[node.index].item(),
    Fact.LINE: _place,
}
