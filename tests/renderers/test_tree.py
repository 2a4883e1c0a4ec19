"""The tree as text. --update-golden writes the drawings anew: read the difference."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, make_gradients, make_graph, with_origins
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind, Spec
from autograd_inspect.passes.outline import outline
from autograd_inspect.renderers import summary, tree

SINE = "out>sum sum>add add>mul mul>sin sin>a"
MLP = (
    "loss>addmm2 addmm2>2.bias addmm2>t2 t2>2.weight addmm2>relu"
    " relu>addmm1 addmm1>0.bias addmm1>t1 t1>0.weight"
)
TWO_ROOTS = "loss_a>log log>sigmoid loss_b>rsub rsub>sigmoid sigmoid>mm mm>w"


def residual(blocks: int) -> str:
    """Draw blocks that add what they computed to what they were given."""
    text = "loss>add0"
    for block in range(blocks):
        add, following = f"add{block}", f"add{block + 1}" if block + 1 < blocks else "input"
        text += (
            f" {add}>{following} {add}>addmm{block} addmm{block}>h.{block}.bias"
            f" addmm{block}>t{block} t{block}>h.{block}.weight"
            f" addmm{block}>relu{block} relu{block}>{following}"
        )
    return text


def unrolled(steps: int) -> str:
    """Draw a recurrent net over a few steps, its two weights shared by all of them."""
    text = "loss>tanh0"
    for step in range(steps):
        following = f"tanh{step + 1}" if step + 1 < steps else "start"
        text += (
            f" tanh{step}>add{step} add{step}>mm{step} mm{step}>rnn.weight_hh mm{step}>{following}"
            f" add{step}>addmm{step} addmm{step}>rnn.bias addmm{step}>rnn.weight_ih"
        )
    return text


def with_undefined_edges() -> Graph:
    ops = ["MseLossBackward0", "AddmmBackward0", "ReluBackward0", "AccumulateGrad"]
    return graph_of([[1, -1], [-1, 2, -1], [3], []], ops=ops, names={0: "loss", 3: "bias"})


def quiet_views(graph: Graph) -> Graph:
    """Give the transposes the kind that the walker gives them."""
    transposes = [row for row, op in enumerate(graph.ops) if op == "TBackward0"]
    view = np.isin(graph.node_table.op, transposes)
    kind = np.where(view, Kind.VIEW, graph.node_table.kind).astype(np.uint8)
    return replace(graph, node_table=replace(graph.node_table, kind=kind))


def capture_of(graph: Graph | str) -> Capture:
    """Make a capture whose leaves have gradients of norm 1, 2, 3 and so on."""
    graph = quiet_views(make_graph(graph) if isinstance(graph, str) else graph)
    gradients = make_gradients([leaf.name or "?" for leaf in graph.leaves])
    table = replace(gradients.table, node=graph.leaf_table.node)
    return replace(make_capture(graph), gradients=replace(gradients, table=table))


def two_roots() -> Graph:
    graph = make_graph(TWO_ROOTS)
    other = graph.ops.index("Loss_bBackward0")
    node = int(np.flatnonzero(graph.node_table.op == other)[0])
    roots = replace(
        graph.root_table,
        node=np.array([0, node], np.int32),
        output=np.zeros(2, np.int32),
        name=np.array([graph.names.index("loss_a"), len(graph.names)], np.int32),
    )
    return replace(graph, root_table=roots, names=(*graph.names, "loss_b"))


def in_modules(blocks: int) -> Graph:
    """Give residual blocks lines, variables and the modules `h.0`, `h.0.lin`, `h.1` and so on."""
    text = f"loss>mse {residual(blocks).replace('loss>', 'mse>')}"
    order = dict.fromkeys(name for arrow in text.split() for name in arrow.split(">"))
    number = {name: node for node, name in enumerate(order)}
    places = {number["loss"]: "train.py:9", number["mse"]: "train.py:8 step < train.py:9"}
    calls, variables = {}, {number["mse"]: "error"}
    for block in range(blocks):
        path = f"h.{blocks - 1 - block}"
        for name, line, call in (
            (f"add{block}", 31, f"{path}:Block"),
            (f"addmm{block}", 30, f"{path}.lin:Linear"),
            (f"t{block}", 30, f"{path}.lin:Linear"),
            (f"relu{block}", 29, f"{path}:Block"),
        ):
            places[number[name]] = f"net/model.py:{line} forward < train.py:7"
            calls[number[name]] = call
        variables[number[f"add{block}"]] = "x"
    graph = make_graph(text)
    renamed = {f"h.{block}.": f"model.h.{blocks - 1 - block}.lin." for block in range(blocks)}
    names = []
    for name in graph.names:
        start = next((start for start in renamed if name.startswith(start)), "")
        names.append(renamed.get(start, "") + name.removeprefix(start))
    origins = {"places": places, "calls": calls, "variables": variables}
    return with_origins(replace(graph, names=tuple(names)), **origins)


def unrolled_cell(steps: int) -> Graph:
    """Say of a recurrent net that each step is a call of `rnn`."""
    text = unrolled(steps)
    order = dict.fromkeys(name for arrow in text.split() for name in arrow.split(">"))
    number = {name: node for node, name in enumerate(order)}
    calls = {
        number[f"{op}{step}"]: f"rnn:Cell#{steps - step}"
        for step in range(steps)
        for op in ("tanh", "add", "mm", "addmm")
    }
    places = dict.fromkeys(calls, "rnn.py:5 forward")
    return with_origins(make_graph(text), places=places, calls=calls)


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
