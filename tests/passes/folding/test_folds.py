"""Folds against what a slow reading of the graph says, on random programs and random graphs."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from build import graph_of
from hypothesis import given
from hypothesis import strategies as st
from programs import captures, inputs_of, often

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import FoldKind, Folds
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind, SavedRole, SavedState
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.passes.heat import gradient_norms


@st.composite
def folded(draw: st.DrawFn) -> tuple[Capture, Folds]:
    capture = draw(captures())
    mask = st.lists(st.booleans(), min_size=len(capture.graph), max_size=len(capture.graph))
    kept = draw(st.none() | mask)
    folds = fold(
        capture,
        views=draw(st.booleans()),
        kept=None if kept is None else np.array(kept, np.bool_),
    )
    return capture, folds


class Slow:
    """Reads a graph one node at a time."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.roots = set(graph.root_table.node.tolist())
        self.users: list[list[int]] = [[] for _ in range(len(graph))]
        for node in range(len(graph)):
            for _, edge in inputs_of(graph, node):
                if self.target(edge) >= 0:
                    self.users[self.target(edge)].append(node)
        self.leaves = {
            node
            for node in graph.leaf_table.node.tolist()
            if self.users[node] and node not in self.roots
        }

    def target(self, edge: int) -> int:
        return int(self.graph.edge_table.target[edge])

    def defined(self, node: int) -> list[int]:
        return [edge for _, edge in inputs_of(self.graph, node) if self.target(edge) >= 0]

    def is_quiet(self, node: int) -> bool:
        """Tell whether a node is a view with one input and one user, which nobody traces."""
        view = self.graph.node_table.kind[node] == Kind.VIEW
        return (
            bool(view)
            and len(self.defined(node)) == 1
            and len(self.users[node]) == 1
            and node not in self.roots
        )

    def behind(self, node: int) -> int:
        """Go on from a quiet view to what it is a view of."""
        while self.is_quiet(node):
            node = self.target(self.defined(node)[0])
        return node

    def has_row(self, node: int, *, views: bool) -> bool:
        if node in self.leaves:
            return False
        return not self.is_quiet(node) or (views and self.behind(node) not in self.leaves)

    def row_of(self, node: int, folds: Folds) -> int:
        """Give the row of the first user that has one."""
        rows = folds.node.tolist()
        while node not in rows:
            node = self.users[node][0]
        return rows.index(node)


def check_what_is_no_leaf_and_no_view_in_passing_has_a_row(
    folds: Folds, slow: Slow, *, views: bool
) -> None:
    expected = [n for n in range(len(slow.graph)) if slow.has_row(n, views=views)]
    assert sorted(folds.node.tolist()) == expected
    for node in range(len(slow.graph)):
        own = -1 if node in slow.leaves else slow.row_of(node, folds)
        assert folds.row[node] == own


def check_each_use_is_an_arrow_back_to_an_earlier_row(folds: Folds, slow: Slow) -> None:
    row = {node: row for row, node in enumerate(folds.node.tolist())}
    arrows, uses = set(), []
    for node, number in row.items():
        for edge in slow.defined(node):
            end, last = slow.target(edge), edge
            while end not in row and end not in slow.leaves:
                (last,) = slow.defined(end)
                end = slow.target(last)
            if end in slow.leaves:
                uses.append((number, end))
            else:
                output = int(slow.graph.edge_table.output[last])
                arrows.add((number, row[end], edge, output))
    table = folds.arrows
    columns = table.source, table.target, table.edge, table.output
    found = list(zip(*(column.tolist() for column in columns), strict=True))
    assert len(found) == len(arrows) and set(found) == arrows
    assert sorted(zip(folds.uses.source.tolist(), folds.uses.leaf.tolist(), strict=True)) == sorted(
        uses
    )
    assert (table.source > table.target).all()
    assert (np.diff(table.source) >= 0).all()


def check_what_is_left_out_has_no_row_and_leads_nowhere(capture: Capture, folds: Folds) -> None:
    left = folds.row < 0
    assert folds.omitted <= np.count_nonzero(left)
    assert not left[folds.node].any()
    assert (folds.arrows.source > folds.arrows.target).all()
    assert folds.whole.nodes[0] == np.count_nonzero(~left)


def check_spans_lie_in_each_other_or_side_by_side(capture: Capture, folds: Folds) -> None:
    table = folds.table
    around: list[set[int]] = [set() for _ in range(len(folds))]
    for one in range(len(table.kind)):
        first, stop = int(table.first[one]), int(table.stop[one])
        assert 0 <= first < stop <= len(folds)
        holders = []
        for other in range(len(table.kind)):
            a, b = int(table.first[other]), int(table.stop[other])
            assert (
                b <= first or stop <= a or (a <= first and stop <= b) or (first <= a and b <= stop)
            )
            if other < one and a <= first and stop <= b:
                holders.append(other)
        assert table.parent[one] == max(holders, default=-1)
        for row in range(first, stop):
            around[row].add(one)
    assert folds.fold.tolist() == [max(spans, default=-1) for spans in around]


def check_modules_are_where_the_program_called_them(capture: Capture, folds: Folds) -> None:
    parent = capture.graph.call_table.parent.tolist()
    for row, node in enumerate(folds.node.tolist()):
        called, call = [], int(capture.graph.node_table.call[node])
        while call >= 0:
            called.append(call)
            call = parent[call]
        modules = [f for f in folds.around(int(folds.fold[row])) if folds.table.call[f] >= 0]
        assert [int(folds.table.call[f]) for f in modules] == called


def rows_between(folds: Folds, span: int) -> range:
    return range(int(folds.table.first[span]), int(folds.table.stop[span]))


def look(folds: Folds, row: int) -> tuple[object, ...]:
    graph, node = folds.graph, folds.graph.node(int(folds.node[row]))
    shapes = [(len(spec.shape), spec.shape[1:]) if spec else None for spec in node.outputs]
    call = int(graph.node_table.call[node.index])
    module = graph.modules[int(graph.call_table.module[call])].cls if call >= 0 else ""
    return node.op, node.kind, tuple(shapes), module


def arrows_of(folds: Folds, row: int) -> Iterator[tuple[int, int, int]]:
    """Give the slot, target and output of the arrows that start at a row."""
    table, start = folds.arrows, folds.graph.edge_table.start
    for arrow in np.flatnonzero(table.source == row).tolist():
        slot = int(table.edge[arrow] - start[folds.node[row]])
        yield slot, int(table.target[arrow]), int(table.output[arrow])


def inputs_in_turn(folds: Folds, repeat: int, turn: int) -> set[tuple[object, ...]]:
    """Say where the inputs of one instance come from: from so many rows back, or from outside."""
    first = int(folds.table.first[repeat])
    begin, stop = folds.instance(repeat, turn)
    return {
        (row - begin, slot, row - target if target >= first else "outside", output)
        for row in range(begin, stop)
        for slot, target, output in arrows_of(folds, row)
    }


def check_instances_of_a_repeat_are_alike_and_connected_alike(
    capture: Capture, folds: Folds
) -> None:
    for repeat in np.flatnonzero(folds.table.kind == FoldKind.REPEAT).tolist():
        rows, times = rows_between(folds, repeat), int(folds.table.times[repeat])
        assert times >= 2 and len(rows) % times == 0
        period = len(rows) // times
        last = inputs_in_turn(folds, repeat, times - 1)
        for turn in range(times):
            begin, _ = folds.instance(repeat, turn)
            assert folds.instance_at(repeat, begin) == turn
            for place in range(period):
                assert look(folds, begin + place) == look(folds, rows[0] + place)
            here = inputs_in_turn(folds, repeat, turn)
            # What comes from an instance before the first comes from elsewhere, or not at all.
            early = {
                (place, slot)
                for place, slot, back, _ in last
                if back != "outside" and back > turn * period + place
            }
            expected = {one for one in last if (one[0], one[1]) not in early}
            assert {one for one in here if (one[0], one[1]) not in early} == expected


def check_what_lies_in_an_instance_lies_in_each(capture: Capture, folds: Folds) -> None:
    table = folds.table
    for repeat in np.flatnonzero(table.kind == FoldKind.REPEAT).tolist():
        inside = [f for f in range(len(table.kind)) if repeat in folds.around(int(table.parent[f]))]
        turns: list[set[tuple[int, ...]]] = [set() for _ in range(int(table.times[repeat]))]
        for span in inside:
            turn = folds.instance_at(repeat, int(table.first[span]))
            begin, end = folds.instance(repeat, turn)
            assert table.stop[span] <= end
            shape = int(table.first[span]) - begin, int(table.stop[span]) - begin
            turns[turn].add((*shape, int(table.kind[span]), int(table.times[span])))
        repeats = [{s for s in turn if s[2] != FoldKind.CHAIN} for turn in turns]
        assert all(one == repeats[0] for one in repeats)


def check_chains_lead_from_each_row_to_the_next_alone(capture: Capture, folds: Folds) -> None:
    for chain in np.flatnonzero(folds.table.kind == FoldKind.CHAIN).tolist():
        rows = rows_between(folds, chain)
        assert len(rows) >= 3
        for row in rows[1:]:
            assert [target for _, target, _ in arrows_of(folds, row)] == [row - 1]
        for row in rows[:-1]:
            assert np.count_nonzero(folds.arrows.target == row) == 1


def check_figures_are_the_sums_of_what_is_in_a_fold(capture: Capture, folds: Folds) -> None:
    norms = gradient_norms(capture)
    spans = [rows_between(folds, span) for span in range(len(folds.table.kind))]
    single = [range(row, row + 1) for row in range(len(folds))]
    for figures, all_rows in (
        (folds.of_folds, spans),
        (folds.of_rows, single),
        (folds.whole, [range(len(folds))]),
    ):
        for number, rows in enumerate(all_rows):
            nodes = [n for n in range(len(capture.graph)) if folds.row[n] in rows]
            assert figures.nodes[number] == len(nodes)
            assert figures.saved[number] == saved_by(capture.graph, set(nodes))
            used = zip(folds.uses.source.tolist(), folds.uses.leaf.tolist(), strict=True)
            assert figures.leaves[number] == len({leaf for row, leaf in used if row in rows})
            spent = [int(t) for t in capture.graph.node_times[nodes] if t >= 0]
            assert figures.spent[number] == (sum(spent) if spent else -1)
            if figures is folds.of_rows:
                assert same(figures.norm[number], float(norms[folds.node[number]]))
            else:
                assert same(figures.norm[number], norm_out_of(folds, rows, norms))


def saved_by(graph: Graph, nodes: set[int]) -> int:
    """Count the bytes of what nodes hold, but for parameters and buffers, a storage once."""
    table, storages, unknown = graph.saved_table, dict[int, int](), 0
    for row, node in enumerate(table.node.tolist()):
        there_anyway = table.role[row] in {SavedRole.PARAMETER, SavedRole.BUFFER}
        if node not in nodes or table.state[row] != SavedState.HELD or there_anyway:
            continue
        if table.leaf[row] >= 0:
            continue
        if table.storage[row] < 0:
            unknown += max(int(table.bytes[row]), 0)
        else:
            storages[int(table.storage[row])] = int(table.bytes[row])
    return sum(storages.values()) + unknown


def norm_out_of(folds: Folds, rows: range, norms: np.ndarray) -> float:
    """Give the norm of what arrived at the rows that something outside uses, or that are roots."""
    roots = {int(row) for row in folds.row[folds.graph.root_table.node] if row >= 0}
    total, known = 0.0, False
    for row in rows:
        users = folds.arrows.source[folds.arrows.target == row].tolist()
        out = row in roots or any(user not in rows for user in users)
        norm = float(norms[folds.node[row]])
        if out and not math.isnan(norm):
            total, known = total + norm**2, True
    return math.sqrt(total) if known else math.nan


def same(one: float, other: float) -> bool:
    return math.isclose(one, other) or (math.isnan(one) and math.isnan(other))


@often
@given(captures(), st.booleans())
def test_rows_and_arrows_are_those_of_the_graph(capture: Capture, views: bool) -> None:
    folds, slow = fold(capture, views=views), Slow(capture.graph)
    check_what_is_no_leaf_and_no_view_in_passing_has_a_row(folds, slow, views=views)
    check_each_use_is_an_arrow_back_to_an_earlier_row(folds, slow)


@often
@given(folded())
def test_folds_are_what_they_say(pair: tuple[Capture, Folds]) -> None:
    check_what_is_left_out_has_no_row_and_leads_nowhere(*pair)
    check_spans_lie_in_each_other_or_side_by_side(*pair)
    check_modules_are_where_the_program_called_them(*pair)
    check_instances_of_a_repeat_are_alike_and_connected_alike(*pair)
    check_what_lies_in_an_instance_lies_in_each(*pair)
    check_chains_lead_from_each_row_to_the_next_alone(*pair)
    check_figures_are_the_sums_of_what_is_in_a_fold(*pair)


def test_nothing_recurses_however_deep_the_graph() -> None:
    graph = graph_of([[i + 1] for i in range(3000)] + [[]])
    limit = sys.getrecursionlimit()
    frames, frame = 0, sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back
    sys.setrecursionlimit(frames + 60)
    try:
        folds = fold(graph)
    finally:
        sys.setrecursionlimit(limit)
    assert list(folds.titles) == ["mul \N{MULTIPLICATION SIGN}3,000"]


@pytest.mark.parametrize("views", [False, True])
def test_a_root_that_is_a_leaf_has_a_row(views: bool) -> None:
    folds = fold(graph_of([[]]), views=views)
    assert len(folds) == 1 and not len(folds.table.kind)
    assert folds.whole.leaves.tolist() == [0]
