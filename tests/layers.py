"""A net of layers that are alike, each with a residual connection, for the tests of folding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from build import make_capture, make_graph, with_origins

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph


def make_layers(count: int) -> Capture:
    """Make `count` layers of four operations and one weight, between an embedding and a loss.

    In `Net`, layer i is `h.i` of class `Layer`: `add(x, mul(gelu(mm(x, weight))))`, with the last
    three in `h.i.mlp` of class `Mlp`.
    """
    arrows = [f"loss>add{count}"]
    for layer in range(count, 0, -1):
        before = f"add{layer - 1}" if layer > 1 else "embedding"
        arrows += [f"add{layer}>{before}", f"add{layer}>mul{layer}", f"mul{layer}>gelu{layer}"]
        arrows += [f"gelu{layer}>mm{layer}", f"mm{layer}>{before}"]
        arrows += [f"mm{layer}>net.h.{layer - 1}.mlp.weight"]
    arrows.append("embedding>net.table.weight")
    order = list(dict.fromkeys(name for arrow in arrows for name in arrow.split(">")))
    calls = {order.index("embedding"): "table:Embedding"}
    for layer in range(1, count + 1):
        calls[order.index(f"add{layer}")] = f"h.{layer - 1}:Layer"
        for name in ("mul", "gelu", "mm"):
            calls[order.index(f"{name}{layer}")] = f"h.{layer - 1}.mlp:Mlp"
    graph = with_origins(make_graph(" ".join(arrows)), calls=calls)
    return make_capture(_numbered_by_depth(graph))


def _numbered_by_depth(graph: Graph) -> Graph:
    """Give sequence numbers as a program would: whatever is used was made before."""
    table = graph.node_table
    sequence = np.where(table.sequence < 0, -1, table.depth.max() - table.depth)
    return replace(graph, node_table=replace(table, sequence=sequence.astype(np.int64)))
