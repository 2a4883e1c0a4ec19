"""The outline of a graph: what is read, in which order, and that nothing gets lost."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, make_graph
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.outline import Gap, Outline, Row, Why
from autograd_inspect.passes.outline import outline
from autograd_inspect.passes.repeats import Folding

QUIET = "UnsafeViewBackward0"


@st.composite
def graphs(draw: st.DrawFn, most: int = 40) -> Graph:
    """Draw a graph in which every node can be reached, with shared nodes and undefined edges."""
    count = draw(st.integers(1, most))
    edges: list[list[int]] = [[] for _ in range(count)]
    for node in range(1, count):
        near = draw(st.booleans())
        user = node - 1 if near else draw(st.integers(0, node - 1))
        edges[user].append(node)
    extra = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    for one, other in draw(st.lists(extra, max_size=count)):
        if one < other:
            edges[one].append(other)
        elif edges[one]:
            edges[one].append(-1)
    ops = [
        draw(st.sampled_from(["AddBackward0", "MulBackward0", QUIET]))
        if any(target >= 0 for target in targets)
        else "AccumulateGrad"
        for targets in edges
    ]
    others = draw(st.lists(st.integers(1, count - 1), max_size=2)) if count > 1 else []
    return graph_of(edges, ops=ops, roots=[0, *others])


def rows_of(found: Outline) -> list[Row]:
    return [line for line in found if isinstance(line, Row)]


def gaps_of(found: Outline, why: Why) -> list[Gap]:
    return [line for line in found if isinstance(line, Gap) and line.why is why]


def targets_of(row: Row) -> list[int]:
    return [edge.target.index for edge in row.node.edges if edge.target is not None]


@given(graphs())
def test_everything_shows_each_node_once(graph: Graph) -> None:
    found = outline(make_capture(graph))
    assert sorted(row.node.index for row in rows_of(found)) == list(range(len(graph)))
    assert found.shown == len(graph)
    assert (found.folded, found.hidden) == (0, 0)


@given(graphs())
def test_a_row_comes_after_all_rows_that_use_it(graph: Graph) -> None:
    rows = rows_of(outline(make_capture(graph)))
    line_of = {row.node.index: line for line, row in enumerate(rows)}
    for line, row in enumerate(rows):
        assert all(line_of[target] > line for target in targets_of(row))


@given(graphs())
def test_every_input_is_a_row_below_or_a_reference(graph: Graph) -> None:
    found = outline(make_capture(graph))
    rows = rows_of(found)
    line_of = {row.node.index: line for line, row in enumerate(rows)}
    for line, row in enumerate(rows):
        referred = {reference.node.index for reference in row.inputs.references}
        below = {t for t in targets_of(row) if found.reading.user[t] == row.node.index}
        assert referred | below == set(targets_of(row))
        assert not referred & below
        assert all(line_of[target] > line and rows[line_of[target]].shared for target in referred)


@given(graphs())
def test_one_input_due_goes_on_at_the_same_indentation(graph: Graph) -> None:
    found = outline(make_capture(graph))
    rows = rows_of(found)
    indent_of = {row.node.index: row.indent for row in rows}
    for row in rows:
        due = {t for t in targets_of(row) if found.reading.user[t] == row.node.index}
        indents = sorted(indent_of[target] - row.indent for target in due)
        assert indents == [0, *[1] * (len(due) - 1)][: len(due)]


@given(graphs(), st.integers(2, 45), st.none() | st.integers(0, 12))
def test_counts_add_up_and_lines_fit(graph: Graph, rows: int, depth: int | None) -> None:
    found = outline(make_capture(graph), rows=rows, depth=depth)
    assert len(found) <= rows
    assert found.shown + found.folded + found.hidden == len(graph)
    assert sum(row.nodes for row in rows_of(found)) == found.shown
    for gap in gaps_of(found, Why.REPEATED):
        assert gap.rows == gap.span * gap.times


@given(graphs())
def test_absorbed_leaves_are_shown_by_each_of_their_users(graph: Graph) -> None:
    leaves = {leaf.node.index for leaf in graph.leaves}
    found = outline(make_capture(graph), rows=max(len(graph) - 1, 2))
    if any(isinstance(line, Gap) for line in found):
        return
    told: set[int] = set()
    for row in rows_of(found):
        shown = {leaf.node for leaf in row.inputs.leaves}
        told |= shown | ({row.node.index} & leaves)
        with_rows = {row.node.index for row in rows_of(found)}
        assert leaves.intersection(targets_of(row)) - with_rows <= shown
    assert told == leaves


@given(graphs(), st.integers(0, 12))
def test_depth_keeps_what_is_near_a_root(graph: Graph, depth: int) -> None:
    distance = dict.fromkeys((root.node.index for root in graph.roots), 0)
    waiting = deque(distance)
    while waiting:
        node = waiting.popleft()
        for edge in graph.node(node).edges:
            if edge.target is not None and edge.target.index not in distance:
                distance[edge.target.index] = distance[node] + 1
                waiting.append(edge.target.index)
    near = {node for node, far in distance.items() if far <= depth}
    found = outline(make_capture(graph), depth=depth)
    assert {row.node.index for row in rows_of(found)} == near
    assert found.hidden == len(graph) - len(near)
    deeper = sum(row.inputs.deeper for row in rows_of(found))
    assert (deeper > 0) == (len(near) < len(graph))


@given(st.text("ab", max_size=60) | st.text("abcdef", max_size=60), st.integers(1, 20))
def test_folds_written_out_give_the_rows_back(text: str, budget: int) -> None:
    symbols = np.array([ord(letter) for letter in text], np.int64)
    folding = Folding(symbols, np.zeros(len(text), np.int64), budget=budget)

    def written_out(tokens: Iterator[int]) -> str:
        parts = []
        for token in tokens:
            if token >= 0:
                parts.append(text[token])
            else:
                fold = folding.folds[~token]
                parts.append(written_out(iter(fold.tokens.tolist())) * (fold.times + 1))
        return "".join(parts)

    assert written_out(iter(folding.tokens.tolist())) == text


@given(st.integers(1, 40), st.integers(0, 60), st.integers(2, 6))
def test_a_repeat_is_found_wherever_it_begins(period: int, before: int, times: int) -> None:
    instance = list(range(period))
    row = [*range(1000, 1000 + before), *instance * times, *range(2000, 2020)]
    folding = Folding(np.array(row), np.zeros(len(row), np.int64), budget=1)
    if period * (times - 1) > 3:
        assert folding.lines(folding.tokens) == before + period + 1 + 20


def test_folds_repeats_of_repeats() -> None:
    text = ("x" + "ab" * 50 + "y") * 40
    symbols = np.array([ord(letter) for letter in text], np.int64)
    folding = Folding(symbols, np.zeros(len(text), np.int64), budget=10)
    assert folding.lines(folding.tokens) == 6  # x a b ⋮ y ⋮


def test_an_instance_begins_where_the_indentation_is_least() -> None:
    symbols = np.array([ord(letter) for letter in "z" + "abc" * 9 + "ab"], np.int64)
    preference = np.array([0, *[5, 1, 5] * 9, 5, 1])
    folding = Folding(symbols, preference, budget=6)
    assert folding.folds[0].tokens.tolist() == [2, 3, 4]


def test_a_residual_connection_reads_downwards() -> None:
    graph = make_graph("loss>add add>x add>mul mul>relu relu>x x>sin sin>a")
    rows = rows_of(outline(make_capture(graph)))
    assert [row.node.op[:3] for row in rows] == ["Los", "Add", "Mul", "Rel", "XBa", "Sin", "Acc"]
    assert {row.indent for row in rows} == {0}
    assert [reference.node.op for reference in rows[1].inputs.references] == ["XBackward0"]
    assert [row.shared for row in rows] == [False] * 4 + [True, False, False]


def test_the_longest_way_is_the_main_line() -> None:
    graph = make_graph("loss>add add>sin add>cos sin>tan tan>a cos>b")
    rows = rows_of(outline(make_capture(graph)))
    assert [(row.node.op[:3], row.indent, row.opens) for row in rows] == [
        ("Los", 0, False),
        ("Add", 0, False),
        ("Cos", 1, True),
        ("Acc", 1, False),
        ("Sin", 0, False),
        ("Tan", 0, False),
        ("Acc", 0, False),
    ]


def blocks(number: int) -> Graph:
    """Draw residual blocks of four operations with a parameter in each."""
    text = "loss>add0"
    for block in range(number):
        add, following = f"add{block}", f"add{block + 1}" if block + 1 < number else "input"
        text += (
            f" {add}>{following} {add}>mul{block} mul{block}>relu{block} mul{block}>h{block}.scale"
            f" relu{block}>addmm{block} addmm{block}>h{block}.bias addmm{block}>{following}"
        )
    return make_graph(text)


def test_layers_that_look_alike_are_folded() -> None:
    found = outline(make_capture(blocks(12)), rows=20)
    (gap,) = gaps_of(found, Why.REPEATED)
    assert (gap.span, gap.times, gap.rows, gap.nodes) == (4, 11, 44, 44 + 22 + 1)
    assert [row.node.op for row in rows_of(found)][1] == "AddBackward0"


def test_a_cut_keeps_head_tail_and_the_repeat() -> None:
    found = outline(make_capture(blocks(12)), rows=7)
    assert not gaps_of(found, Why.CUT)
    found = outline(make_capture(blocks(12)), rows=5)
    assert len(found) == 5
    (gap,) = gaps_of(found, Why.CUT)
    assert gap.nodes == found.hidden > 0


def test_a_cut_on_both_sides_of_the_repeat_keeps_to_the_budget() -> None:
    ops = [f"Op{number}Backward0" for number in range(20)]
    symbols = [*ops, *ops[:5] * 9, *reversed(ops), "AccumulateGrad"]
    count = len(symbols)
    graph = graph_of([[node + 1] for node in range(count - 1)] + [[]], ops=symbols)
    found = outline(make_capture(graph), rows=12)
    assert len(found) == 12
    assert [gap.rows for gap in gaps_of(found, Why.CUT)] == [19, 17]
    assert [gap.times for gap in gaps_of(found, Why.REPEATED)] == [8]
    assert found.shown + found.folded + found.hidden == count


def test_a_view_with_two_users_keeps_its_row() -> None:
    edges = [[1, 2], [3], [3], [4], [5], []]
    ops = ["AddBackward0", "SinBackward0", "CosBackward0", QUIET, "TanBackward0", "AccumulateGrad"]
    found = outline(make_capture(graph_of(edges, ops=ops)), rows=3)
    full = outline(make_capture(graph_of(edges, ops=ops)), rows=5)
    assert [row.node.op for row in rows_of(full)].count(QUIET) == 1
    assert found.shown + found.hidden == 6
    assert gaps_of(found, Why.CUT)[0].rows == 3


def test_views_go_when_folding_is_not_enough() -> None:
    ops = ["SumBackward0", *["MulBackward0", QUIET, QUIET] * 3, "SinBackward0", "AccumulateGrad"]
    graph = graph_of([[node + 1] for node in range(11)] + [[]], ops=ops)
    wanted = ["SumBackward0", *["MulBackward0"] * 3, "SinBackward0"]
    found = outline(make_capture(graph), rows=5)
    assert [row.node.op for row in rows_of(found)] == wanted
    assert [row.inputs.views for row in rows_of(found)] == [0, 2, 2, 2, 0]
    assert (found.shown, found.hidden) == (12, 0)


def test_a_reference_passes_through_absorbed_views_to_the_output_it_takes() -> None:
    # sum -> mul -> (view -> split output 2, sin -> split)
    edges = [[1], [2, 3], [4], [4], [5], []]
    ops = [
        "SumBackward0",
        "MulBackward0",
        QUIET,
        "SinBackward0",
        "SplitBackward0",
        "AccumulateGrad",
    ]
    graph = graph_of(edges, ops=ops, names={5: "a"})
    output = graph.edge_table.output.copy()
    output[3] = 2
    graph = replace(graph, edge_table=replace(graph.edge_table, output=output))
    found = outline(make_capture(graph), rows=4)
    (reference,) = rows_of(found)[1].inputs.references
    assert (reference.node.op, reference.output) == ("SplitBackward0", 2)
    assert rows_of(found)[1].inputs.views == 1


def test_a_leaf_is_found_through_views_and_has_its_gradient() -> None:
    ops = ["SumBackward0", "MmBackward0", QUIET, QUIET, "AccumulateGrad"]
    graph = graph_of([[1], [2], [3], [4], []], ops=ops, names={4: "weight"})
    capture = make_capture(graph)
    table = replace(capture.gradients.table, node=np.array([4], np.int32))
    capture = Capture(graph, replace(capture.gradients, table=table), capture.about)
    found = outline(capture, rows=2)
    (leaf,) = rows_of(found)[1].inputs.leaves
    assert (leaf.name, leaf.norm, rows_of(found)[1].nodes) == ("weight", 1.0, 4)


def test_a_root_that_another_root_uses_is_shown_once_and_never_absorbed() -> None:
    edges = [[1], [2], [3], []]
    ops = ["SumBackward0", QUIET, "SinBackward0", "AccumulateGrad"]
    graph = graph_of(edges, ops=ops, roots=[0, 1], names={0: "loss", 1: "hidden", 3: "a"})
    rows = rows_of(outline(make_capture(graph), rows=3))
    assert [[root.name for root in row.roots] for row in rows] == [["loss"], ["hidden"], []]


def test_a_leaf_may_be_the_root() -> None:
    found = outline(make_capture(graph_of([[]], names={0: "w"})), rows=5)
    assert [row.node.op for row in rows_of(found)] == ["AccumulateGrad"]


@contextmanager
def little_stack(frames: int = 80) -> Iterator[None]:
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("rows", [60, None])
def test_a_deep_chain_needs_no_deep_stack(rows: int | None) -> None:
    count = 200_000
    graph = deep_chain(count)
    with little_stack():
        found = outline(make_capture(graph), rows=rows)
        assert found.shown + found.folded + found.hidden == count
    assert len(found) <= (rows or count)


def deep_chain(count: int) -> Graph:
    """Make a chain without the quadratic cost that building it by relaxation has."""
    graph = graph_of([[]], ops=["AccumulateGrad"])
    table = graph.node_table
    number = np.arange(count, dtype=np.int32)
    leaf = number == count - 1
    return replace(
        graph,
        node_table=replace(
            table,
            op=leaf.astype(np.int32),
            kind=leaf.astype(np.uint8),
            sequence=number[::-1].astype(np.int64),
            depth=number,
            attributes=np.zeros(count, np.int32),
            hooks=np.full(count, -1, np.int32),
            stack=np.full(count, -1, np.int32),
            call=np.full(count, -1, np.int32),
            variable=np.full(count, -1, np.int32),
        ),
        edge_table=replace(
            graph.edge_table,
            start=np.minimum(np.arange(count + 1), count - 1),
            target=number[1:],
            output=np.zeros(count - 1, np.int32),
        ),
        output_table=replace(
            graph.output_table, start=np.arange(count + 1), spec=np.zeros(count, np.int32)
        ),
        leaf_table=replace(graph.leaf_table, node=number[-1:]),
        ops=("SinBackward0", "AccumulateGrad"),
    )


def test_sharing_is_never_unrolled() -> None:
    doubling = [[node + 1, node + 1] for node in range(60)] + [[]]
    found = outline(make_capture(graph_of(doubling)))
    assert len(found) == 61
    assert {row.indent for row in rows_of(found)} == {0}
    assert [row.uses for row in rows_of(found)] == [0] + [2] * 60
    fibonacci = [[node + 1, node + 2] for node in range(98)] + [[99], []]
    assert len(outline(make_capture(graph_of(fibonacci)))) == 100
