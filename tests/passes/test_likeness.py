"""What repeats look like, where they begin, and what they are called."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from build import graph_of, make_capture, with_origins
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.outline import Gap, Outline, Row, Why
from autograd_inspect.model.places import Module
from autograd_inspect.model.tables import CallTable
from autograd_inspect.passes.likeness import calls_in_common, calls_of_repeats
from autograd_inspect.passes.outline import outline


def chain(ops: list[str], *, calls: dict[int, str], lines: dict[int, int]) -> Graph:
    """Make a chain of operations with the given modules and lines of `model.py`."""
    names = [f"{op.capitalize()}Backward0" for op in ops]
    edges = [[node + 1] for node in range(len(ops))] + [[]]
    graph = graph_of(edges, ops=[*names, "AccumulateGrad"], names={len(ops): "w"})
    places = {node: f"model.py:{line}" for node, line in lines.items()}
    return with_origins(graph, calls=calls, places=places)


def layers(count: int, *, line_of: dict[int, int] | None = None) -> Graph:
    """Make `count` layers of two operations, the last of them nearest to the root."""
    ops, calls, lines = ["sum"], {}, {}
    for layer in reversed(range(count)):
        calls |= {len(ops): f"h.{layer}:Layer", len(ops) + 1: f"h.{layer}.lin:Linear"}
        line = (line_of or {}).get(layer, 5)
        lines |= {len(ops): line, len(ops) + 1: line}
        ops += ["add", "mm"]
    return chain(ops, calls=calls, lines=lines)


def repeats_of(found: Outline) -> list[Gap]:
    return [line for line in found if isinstance(line, Gap) and line.why is Why.REPEATED]


def called(graph: Graph, gap: Gap) -> list[tuple[str, int]]:
    table = graph.call_table
    return [(graph.modules[table.module[row]].path, int(table.number[row])) for row in gap.calls]


def test_layers_on_equal_lines_fold_and_are_named() -> None:
    graph = layers(12)
    (gap,) = repeats_of(outline(make_capture(graph), rows=8))
    assert (gap.span, gap.times) == (2, 11)
    assert called(graph, gap) == [("h.10", 1), ("h.0", 1)]


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_few_repeats_are_all_named(count: int) -> None:
    graph = layers(count)
    (gap,) = repeats_of(outline(make_capture(graph), rows=4))
    others = [(f"h.{layer}", 1) for layer in reversed(range(count - 1))]
    assert called(graph, gap) == (others if len(others) <= 3 else [others[0], others[-1]])


def test_layers_on_other_lines_do_not_look_alike() -> None:
    graph = layers(12, line_of=dict.fromkeys(range(6), 40))
    found = outline(make_capture(graph), rows=10)
    assert [called(graph, gap) for gap in repeats_of(found)] == [
        [("h.10", 1), ("h.6", 1)],
        [("h.4", 1), ("h.0", 1)],
    ]


def test_layers_of_another_class_do_not_look_alike() -> None:
    graph = layers(12)
    modules = tuple(
        replace(module, cls="Other") if module.path in {f"h.{n}" for n in range(4)} else module
        for module in graph.modules
    )
    graph = replace(graph, modules=modules)
    found = outline(make_capture(graph), rows=10)
    assert [gap.times for gap in repeats_of(found)] == [7, 3]


def test_calls_of_one_module_are_told_by_their_numbers() -> None:
    ops, calls = ["sum"], {}
    for number in range(20, 0, -1):
        calls |= {len(ops): f"cell:Cell#{number}", len(ops) + 1: f"cell.lin:Linear#{number}"}
        ops += ["tanh", "mm"]
    graph = chain(ops, calls=calls, lines={})
    (gap,) = repeats_of(outline(make_capture(graph), rows=6))
    assert called(graph, gap) in (
        [("cell", 19), ("cell", 1)],
        [("cell.lin", 19), ("cell.lin", 1)],  # with_origins knows no parents of second calls
    )


def test_an_instance_begins_where_the_module_does() -> None:
    # Without the modules `mm add` would repeat as well as `add mm`, and comes first.
    ops, calls = ["sum", "mm"], {1: "head:Linear"}
    for layer in reversed(range(9)):
        calls |= {len(ops): f"h.{layer}:Layer", len(ops) + 1: f"h.{layer}.lin:Linear"}
        ops += ["add", "mm"]
    found = outline(make_capture(chain(ops, calls=calls, lines={})), rows=6)
    rows = [line for line in found if isinstance(line, Row)]
    assert [row.node.title for row in rows[:4]] == ["sum", "mm", "add", "mm"]
    assert repeats_of(found)[0].times == 8


def test_repeats_without_modules_have_no_names() -> None:
    graph = chain(["sum", *["add", "mm"] * 9], calls={}, lines={})
    (gap,) = repeats_of(outline(make_capture(graph), rows=6))
    assert gap.calls == ()


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Draw calls, each with a parent before it or none, and calls of nodes."""
    count = draw(st.integers(1, 12))
    parents = [draw(st.integers(-1, row - 1)) for row in range(count)]
    return parents, draw(st.lists(st.integers(-1, count - 1), min_size=1, max_size=30))


def graph_with(parents: list[int], calls: list[int]) -> Graph:
    graph = graph_of([[node + 1] for node in range(len(calls) - 1)] + [[]])
    count = len(parents)
    return replace(
        graph,
        node_table=replace(graph.node_table, call=np.array(calls, np.int32)),
        call_table=CallTable(
            np.arange(count, dtype=np.int32),
            np.ones(count, np.int32),
            np.array(parents, np.int32),
        ),
        modules=tuple(Module("", f"m{row}", "M") for row in range(count)),
    )


def ancestors(parents: list[int], call: int) -> list[int]:
    around = []
    while call >= 0:
        around.append(call)
        call = parents[call]
    return around[::-1]


@given(forests())
def test_calls_in_common_are_those_around_both(drawn: tuple[list[int], list[int]]) -> None:
    parents, calls = drawn
    chains = [[], *(ancestors(parents, call) for call in calls)]
    expected = [len(set(one) & set(other)) for one, other in pairwise(chains)]
    graph = graph_with(parents, calls)
    assert calls_in_common(graph, np.arange(len(calls))).tolist() == expected


@given(forests())
def test_repeats_are_named_by_the_outermost_calls_that_differ(
    drawn: tuple[list[int], list[int]],
) -> None:
    parents, calls = drawn
    chains = [ancestors(parents, call)[::-1] for call in calls]
    levels = [list(level) for level in zip(*chains, strict=False)]
    apart = [level for level in levels if len(set(level)) == len(calls)]
    expected = apart[-1][1:] if apart else []
    found = calls_of_repeats(graph_with(parents, calls), np.arange(len(calls))[:, None])
    assert list(found) == (expected if len(expected) <= 3 else [expected[0], expected[-1]])


def test_a_damaged_call_table_ends_the_search() -> None:
    graph = graph_with([1, 0], [0, 1])
    assert calls_in_common(graph, np.arange(2)).tolist() == [0, 0]
