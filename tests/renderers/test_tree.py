"""The tree as text. --update-golden writes the drawings anew: read the difference."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, make_graph, with_origins
from hypothesis import given
from hypothesis import strategies as st
from nets import (
    MLP,
    SINE,
    capture_of,
    in_modules,
    residual,
    two_roots,
    unrolled,
    unrolled_cell,
    with_undefined_edges,
)
from rich.cells import cell_len

from autograd_inspect.model.capture import Backward
from autograd_inspect.model.tables import Kind, Spec
from autograd_inspect.passes.outline import outline
from autograd_inspect.renderers import summary, tree

DRAWINGS = {
    "tree-sine": (SINE, None),
    "tree-sine-short": (SINE, 5),
    "tree-mlp": (MLP, None),
    "tree-mlp-short": (MLP, 8),
    "tree-residual": (residual(12), 20),
    "tree-residual-cut": (residual(12), 4),
    "tree-rnn": (unrolled(3), None),
    "tree-rnn-short": (unrolled(40), 20),
    "tree-two-roots": (two_roots(), None),
    "tree-undefined": (with_undefined_edges(), None),
    "tree-modules": (in_modules(12), 12),
    "tree-modules-all": (in_modules(2), None),
    "tree-calls": (unrolled_cell(40), 20),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_known_drawings(name: str, golden: Callable[[str, str], None]) -> None:
    graph, rows = DRAWINGS[name]
    drawn = tree.render(outline(capture_of(graph), rows=rows), width=80)
    golden(f"{name}.txt", drawn)


def test_a_narrow_terminal_goes_without_step_by_step(golden: Callable[[str, str], None]) -> None:
    found = outline(capture_of(in_modules(12)), rows=12)
    widths = [None, 120, 90, 80, 75, 70, 60, 50, 40, 30]
    drawn = [f"{width} columns\n{tree.render(found, width=width)}\n" for width in widths]
    golden("tree-modules-widths.txt", "".join(drawn))


def test_in_a_pipe_everything_is_there_in_full() -> None:
    drawn = tree.render(outline(capture_of(in_modules(12)), rows=12))
    assert "add → x" in drawn
    assert "h.11.lin (Linear)  model.py:30  ◆ model.h.11.lin.bias ∇1" in drawn


def test_files_of_one_name_are_told_apart() -> None:
    places = {0: "train.py:3", 1: "lib/a/model.py:12 forward", 2: "lib/b/model.py:12 forward"}
    graph = with_origins(make_graph("loss>mul mul>sin sin>w"), places=places)
    drawn = tree.render(outline(capture_of(graph)))
    assert [line.split()[-1] for line in drawn.splitlines()[:3]] == [
        *("train.py:3", "a/model.py:12", "b/model.py:12")
    ]


def test_modules_of_several_owners_are_told_apart() -> None:
    graph = make_graph("loss>mul mul>sin sin>w")
    graph = with_origins(graph, calls={0: ":Loss", 1: "net.0:Linear", 2: "body:Body"})
    first, second, third = graph.modules
    renamed = {"body": replace(second, owner="critic")}
    modules = tuple(renamed.get(module.path, module) for module in (first, second, third))
    drawn = tree.render(outline(capture_of(replace(graph, modules=modules))))
    assert "model (Loss)" in drawn
    assert "model.net.0 (Linear)" in drawn
    assert "critic.body (Body)" in drawn


def test_one_line_does_not_take_lines_and_modules_from_the_others() -> None:
    graph = in_modules(40)
    lines = tree.render(outline(capture_of(graph)), width=100).splitlines()
    long = replace(graph, ops=tuple("A" * 60 if op == "MseBackward0" else op for op in graph.ops))
    with_long = tree.render(outline(capture_of(long)), width=100).splitlines()
    assert sum("model.py:31" in line for line in with_long) == 40
    assert sum(line in with_long for line in lines) >= len(lines) - 1


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("width", [None, 160, 80, 40, 20])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_colour_and_width_change_no_content(name: str, width: int | None, ascii_only: bool) -> None:
    graph, rows = DRAWINGS[name]
    found = outline(capture_of(graph), rows=rows)
    plain = tree.render(found, width=width, ascii=ascii_only)
    colored = tree.render(found, width=width, ascii=ascii_only, color=True)
    assert [line.rstrip() for line in without_colour(colored).split("\n")] == plain.split("\n")
    assert "\x1b" in colored
    assert "\x1b" not in plain
    assert plain.isascii() == ascii_only
    for row in found:
        if hasattr(row, "node"):
            assert row.node.title in plain
            assert all(leaf.name.rpartition(".")[2] in plain for leaf in row.inputs.leaves)


def without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_is_wider_than_a_common_terminal(name: str) -> None:
    graph, rows = DRAWINGS[name]
    drawn = tree.render(outline(capture_of(graph), rows=rows), width=80)
    assert max(map(cell_len, drawn.splitlines())) <= 80


@given(
    st.text(
        st.characters(categories=("Cc", "Cf", "Lu", "Lo", "Mn", "Zl", "Zp", "Ps", "Pe", "So")),
        min_size=1,
        max_size=30,
    )
)
def test_hostile_names_are_shown_on_one_line_as_text(name: str) -> None:
    capture = capture_of(graph_of([[1], []], names={0: name, 1: name}))
    for ascii_only in (False, True):
        drawn = tree.render(outline(capture), ascii=ascii_only)
        assert drawn.count("\n") == 2
        assert drawn.replace("\n", "").isprintable()
    if name.isprintable() and name.isascii():
        assert drawn.count(name.rstrip()) >= 2


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "[/]", "[link=http://a.b]", ":smile:", "a\\[b"])
def test_markup_is_never_interpreted(name: str) -> None:
    capture = capture_of(graph_of([[1], []], names={0: "out", 1: name}))
    for color in (False, True):
        assert name in tree.render(outline(capture), color=color)


def test_a_deep_nest_of_branches_keeps_its_text_on_the_screen() -> None:
    # Every node's first input is a branch as long as the rest of the main line.
    depth = 30
    edges, ops = [], []
    for level in range(depth):
        edges += [[2 * level + 1, 2 * level + 2], []]
        ops += ["AddBackward0", "AccumulateGrad"]
    edges.append([])
    ops.append("AccumulateGrad")
    nested = outline(capture_of(graph_of(edges, ops=ops)))
    deep = replace(nested, indent=np.arange(len(nested), dtype=np.int32))
    lines = tree.render(deep, width=60).splitlines()
    assert all("add" in line or "AccumulateGrad" in line for line in lines)
    assert max(map(cell_len, lines)) <= 60
    assert "+48 levels" in lines[50]


def test_says_what_is_out_of_the_ordinary() -> None:
    graph = make_graph("loss>square square>a")
    table = replace(
        graph.node_table,
        kind=np.array([Kind.OPERATION, Kind.CUSTOM, Kind.LEAF], np.uint8),
        attributes=np.array([0, 1, 0], np.int32),
    )
    graph = replace(
        graph,
        node_table=table,
        specs=(Spec((2, "s0"), "bfloat16", "cuda:1"),),
        attributes=("{}", '{"alpha": 1, "exponent": 2.0, "dim": -1, "eps": 0.5, "x": null}'),
    )
    (line,) = (
        line for line in tree.render(outline(capture_of(graph))).splitlines() if "Square" in line
    )
    assert "[2, s0] bfloat16 cuda:1" in line
    assert "custom function" in line
    assert "exponent=2 dim=-1" in line
    assert not any(word in line for word in ("alpha", "eps", "x="))


def test_names_the_output_that_an_edge_takes() -> None:
    graph = graph_of([[1], [2], []], ops=["MulBackward0", "UnbindBackward0", "AccumulateGrad"])
    three = replace(
        graph.output_table,
        start=np.array([0, 1, 4, 5]),
        spec=np.zeros(5, np.int32),
    )
    edges = replace(graph.edge_table, output=np.array([1, 0], np.int32))
    graph = replace(graph, output_table=three, edge_table=edges)
    line = tree.render(outline(capture_of(graph))).splitlines()[1]
    assert "[2, 3] \N{MULTIPLICATION SIGN}3  output 1 of 3" in line


@pytest.mark.parametrize("norm", [math.nan, math.inf, 0.0])
def test_an_odd_gradient_norm_stands_out(norm: float) -> None:
    capture = capture_of("loss>a")
    table = replace(capture.gradients.table, norm=np.array([norm]))
    capture = replace(capture, gradients=replace(capture.gradients, table=table))
    assert f"∇{norm:g}" in tree.render(outline(capture))
    assert "\x1b[1;31m" in tree.render(outline(capture), color=True)


def test_an_operation_of_many_inputs_counts_them_on_a_terminal_only() -> None:
    edges = [list(range(1, 101)), *[[101]] * 100, []]
    ops = ["StackBackward0", *["SinBackward0"] * 100, "AccumulateGrad"]
    chain = [[*range(1, 101)], *[[node + 1] for node in range(1, 101)], []]
    assert tree.render(outline(capture_of(graph_of(edges, ops=ops)))).count("sin") == 100
    found = outline(capture_of(graph_of(chain, ops=ops)))
    assert "and 95 more" in tree.render(found, width=80)
    assert tree.render(found).splitlines()[0].count("↓") == 99


def test_summary_says_size_place_and_what_is_missing() -> None:
    capture = make_capture(
        with_undefined_edges(), partial="the process was killed", omitted=("saved tensors",),
        notes=("the script raised\nValueError",),
    )  # fmt: skip
    assert summary.render(capture).splitlines() == [
        "4 nodes · 3 edges (3 undefined) · 1 leaf · depth 4",
        "train.py:12 in train, backward call 1 of the script",
        "partial: the process was killed",
        "not recorded: saved tensors",
        r"note: the script raised\nValueError",
        "recorded: the graph alone · without --no-record: source lines, modules, names",
    ]
    assert summary.render(capture, ascii=True).isascii()


@pytest.mark.parametrize("backward", list(Backward))
def test_summary_says_who_ran_the_backward(backward: Backward) -> None:
    capture = make_capture(backward=backward, number=0, error="RuntimeError: no")
    text = summary.render(capture)
    assert ("by agi" in text) == (backward is Backward.OURS)
    assert ("not run" in text) == (backward is Backward.NOT_RUN)
    assert ("failed: RuntimeError: no" in text) == (backward is Backward.FAILED)
