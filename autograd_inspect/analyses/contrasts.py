"""In which facts the nodes of two graphs differ that are the same otherwise, as columns of bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.analyses.alignment import Alignment
from autograd_inspect.analyses.sides import (
    Numbers,
    Words,
    mixed,
    outputs_of,
    scalars_of,
)
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.diff import Fact
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools, Floats, Longs, SavedState

#: What an edge leads to that is no node of the other graph, and what it leads to where to nothing.
_ELSEWHERE, _NOWHERE = -2, -1
#: A node's time varies from run to run; a difference is one of more than half.
_NOISE_OF_TIMES = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Facing:
    """Two captures and the pairs of their nodes, as two columns of node numbers."""

    before: Capture
    after: Capture
    alignment: Alignment
    one: Longs
    other: Longs

    @property
    def graphs(self) -> tuple[Graph, Graph]:
        """The two graphs."""
        return self.before.graph, self.after.graph


def contrasts_of(facing: Facing, tolerance: float) -> Longs:
    """Give per pair the facts that differ, as bits of `Fact`."""
    words = Words()
    ones, others = facing.graphs
    pairs = {
        Fact.OP: [_ops(graph, words) for graph in (ones, others)],
        Fact.SCALARS: [scalars_of(graph, words) for graph in (ones, others)],
        Fact.SHAPE: [outputs_of(graph, words) for graph in (ones, others)],
        Fact.SAVED: [_saved(graph, words) for graph in (ones, others)],
        Fact.REQUIRES_GRAD: [_requires_grad(graph) for graph in (ones, others)],
        Fact.NAME: [_leaf_names(graph, words) for graph in (ones, others)],
    }
    facts = np.zeros(len(facing.one), np.int64)
    for fact, (here, there) in pairs.items():
        facts |= fact * (here[facing.one] != there[facing.other])
    here, there = (_lines(graph, words.places) for graph in (ones, others))
    known = (here[facing.one] > 0) & (there[facing.other] > 0)
    facts |= Fact.LINE * (known & (here[facing.one] != there[facing.other]))
    facts |= Fact.INPUTS * (rewired(facing) > 0)
    facts |= Fact.MODULE * _moved(facing)
    facts |= Fact.GRAD * _gradients_differ(facing, tolerance)
    facts |= Fact.TIME * _times_differ(facing)
    return facts


def _ops(graph: Graph, words: Words) -> Longs:
    return mixed(
        words.names.numbers(graph.ops)[graph.node_table.op], graph.node_table.kind.astype(np.int64)
    )


def _saved(graph: Graph, words: Words) -> Longs:
    """Give each node a number for what it saves: names, shapes, sizes and states, in turn."""
    table = graph.saved_table
    turn = np.arange(len(table.node)) - np.searchsorted(table.node, table.node)
    rows = mixed(
        turn,
        words.names.numbers(graph.names)[table.name],
        words.specs.numbers(graph.specs)[table.spec],
        table.bytes,
        table.state.astype(np.int64),
    )
    found = np.zeros(len(graph), np.int64)
    np.add.at(found, table.node, rows)
    return found


def _lines(graph: Graph, places: Numbers) -> Longs:
    """Give each node a number for the innermost line that made it."""
    of_place = places.numbers((place.file, place.line) for place in graph.places)
    innermost = [stack.lines[0] if stack.lines else -1 for stack in graph.stacks]
    return of_place[np.array([*innermost, -1], np.int64)[graph.node_table.stack]]


def _requires_grad(graph: Graph) -> Longs:
    found = np.zeros(len(graph), np.int64)
    found[graph.leaf_table.node] = graph.leaf_table.requires_grad
    return found


def _leaf_names(graph: Graph, words: Words) -> Longs:
    found = np.zeros(len(graph), np.int64)
    found[graph.leaf_table.node] = words.names.numbers(graph.names)[graph.leaf_table.name]
    return found


def held_by_node(graph: Graph) -> Longs:
    """Sum the bytes that each node keeps; a storage that it keeps twice counts once."""
    table = graph.saved_table
    rows = np.flatnonzero(table.state != SavedState.FREED)
    rows = rows[np.lexsort((table.storage[rows], table.node[rows]))]
    node, storage = table.node[rows], table.storage[rows]
    again = (node[1:] == node[:-1]) & (storage[1:] == storage[:-1]) & (storage[1:] >= 0)
    rows = rows[np.append(np.ones(len(rows[:1]), np.bool_), ~again)]
    held = np.zeros(len(graph), np.int64)
    np.add.at(held, table.node[rows], table.bytes[rows])
    return held


def held_anew_by_node(graph: Graph) -> Longs:
    """Sum the bytes that each node keeps and none before it: these add up over a graph."""
    table = graph.saved_table
    rows = np.flatnonzero(table.state != SavedState.FREED)
    order = graph.node_table.sequence[table.node[rows]]
    rows = rows[np.lexsort((order, table.storage[rows]))]
    storage = table.storage[rows]
    first = np.append(np.ones(len(rows[:1]), np.bool_), storage[1:] != storage[:-1])
    rows = rows[first | (storage < 0)]
    held = np.zeros(len(graph), np.int64)
    np.add.at(held, table.node[rows], table.bytes[rows])
    return held


def rewired(facing: Facing) -> Longs:
    """Count per pair the slots that lead to another node, or to another output of it.

    What leads to an added or a removed node is not counted: that node says it.
    """
    one, other = facing.graphs
    counts = np.zeros(len(facing.one), np.int64)
    here, there = (np.diff(graph.edge_table.start) for graph in (one, other))
    same = here[facing.one] == there[facing.other]
    rows = np.flatnonzero(same)
    size = here[facing.one[rows]]
    slot = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    edge = np.repeat(one.edge_table.start[facing.one[rows]], size) + slot
    beside = np.repeat(other.edge_table.start[facing.other[rows]], size) + slot
    target, output = _mapped(facing, edge), one.edge_table.output[edge]
    found, found_output = _known(facing, beside), other.edge_table.output[beside]
    known = (target != _ELSEWHERE) & (found != _ELSEWHERE)
    differs = (target != found) | ((target != _NOWHERE) & (output != found_output))
    np.add.at(counts, np.repeat(rows, size), known & differs)
    for row in np.flatnonzero(~same).tolist():
        counts[row] = _odd_slots(facing, int(facing.one[row]), int(facing.other[row]))
    return counts


def _mapped(facing: Facing, edge: Longs) -> Longs:
    """Give what edges before lead to, as nodes of the graph after."""
    target = facing.before.graph.edge_table.target[edge]
    like = np.where(facing.alignment.node < 0, _ELSEWHERE, facing.alignment.node)
    return np.append(like, _NOWHERE)[target]


def _known(facing: Facing, edge: Longs) -> Longs:
    """Give what edges after lead to, if it was there before."""
    target = facing.after.graph.edge_table.target[edge].astype(np.int64)
    old = np.zeros(len(facing.after.graph) + 1, np.bool_)
    old[facing.other] = True
    old[-1] = True
    return np.where(old[target], target, _ELSEWHERE)


def _odd_slots(facing: Facing, node: int, beside: int) -> int:
    """Count what two nodes with other numbers of slots lead to differently."""
    one, other = (graph.edge_table.start for graph in facing.graphs)
    before = _mapped(facing, np.arange(one[node], one[node + 1])).tolist()
    after = _known(facing, np.arange(other[beside], other[beside + 1])).tolist()
    apart = {target for target in before if target >= 0} ^ {
        target for target in after if target >= 0
    }
    return len(apart)


def _moved(facing: Facing) -> Bools:
    """Tell which nodes were made in a call of a module that is not the like of the old one.

    A node in the same module by name has not moved, whatever call it is.
    """
    one, other = facing.graphs
    calls = [graph.node_table.call for graph in facing.graphs]
    if any((call < 0).all() for call in calls):
        return np.zeros(len(facing.one), np.bool_)
    here, there = calls[0][facing.one], calls[1][facing.other]
    like = np.append(facing.alignment.call, -1)[here]
    modules = Numbers()
    names = [
        modules.numbers(graph.modules[row].full_name for row in graph.call_table.module.tolist())
        for graph in (one, other)
    ]
    moved: Bools = (like != there) & (names[0][here] != names[1][there])
    return moved


def arrived_norms(capture: Capture) -> tuple[Floats, Bools]:
    """Give the norm of what arrived at each node, at all outputs together, and where it is known.

    Leaves have the norm of their gradient also where nothing else was probed.
    """
    graph = capture.graph
    table, rows = graph.output_table, capture.gradients.table
    of_node = np.repeat(np.arange(len(graph)), np.diff(table.start))
    known = np.flatnonzero(table.arrived >= 0)
    squares = np.zeros(len(graph))
    np.add.at(squares, of_node[known], graph.passed_table.norm[table.arrived[known]] ** 2)
    measured = np.zeros(len(graph), np.bool_)
    measured[of_node[known]] = True
    norms = np.sqrt(squares)
    own = np.flatnonzero((rows.node >= 0) & (rows.reason == Reason.ARRIVED))
    norms[rows.node[own]] = rows.norm[own]
    measured[rows.node[own]] = True
    return norms, measured


def _gradients_differ(facing: Facing, tolerance: float) -> Bools:
    """Tell which pairs have other gradients; NaN and infinity equal themselves.

    A leaf that has a gradient in one only differs, if both captures have gradients at all.
    """
    (one, here), (other, there) = arrived_norms(facing.before), arrived_norms(facing.after)
    before, after = one[facing.one], other[facing.other]
    known = here[facing.one], there[facing.other]
    with np.errstate(invalid="ignore"):
        apart = np.abs(before - after) > tolerance * np.maximum(np.abs(before), np.abs(after))
    finite = np.isfinite(before) & np.isfinite(after)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    differs: Bools = known[0] & known[1] & np.where(finite, apart, ~same)
    if here.any() and there.any():
        leaf = np.zeros(len(one), np.bool_)
        leaf[facing.before.graph.leaf_table.node] = True
        differs |= leaf[facing.one] & (known[0] != known[1])
    return differs


def _times_differ(facing: Facing) -> Bools:
    before, after = (graph.node_times for graph in facing.graphs)
    here, there = before[facing.one], after[facing.other]
    differs: Bools = (np.minimum(here, there) >= 0) & (
        np.abs(here - there) > _NOISE_OF_TIMES * np.maximum(here, there)
    )
    return differs
