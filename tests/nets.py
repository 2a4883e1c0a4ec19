"""Graphs of small networks, made without torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from build import graph_of, make_capture, make_gradients, make_graph, with_origins

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind

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
