"""What changed from one capture to another."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from autograd_inspect.analyses.alignment import align_graphs
from autograd_inspect.analyses.contrasts import (
    Facing,
    contrasts_of,
    rewired,
)
from autograd_inspect.analyses.facts import Writer
from autograd_inspect.analyses.sides import forward_order, sources_of
from autograd_inspect.analyses.words import check_aspects
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Backward, Capture, Recording
from autograd_inspect.model.diff import (
    FACTS_OF,
    TOLERANCE,
    USUAL_ASPECTS,
    Diff,
    Fact,
    PairTable,
    Renamed,
    Totals,
)
from autograd_inspect.model.graph import Graph
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
        differences=tuple(Writer(before, after, alignment).differences(pairs)),
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
