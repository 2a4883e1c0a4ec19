"""Models made of known layers, and edits of them: what a diff must find is known beforehand."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import torch
from build import graph_of, make_capture, with_origins
from torch import nn

import autograd_inspect
from autograd_inspect import Capture

#: A tree of layers: a list is a Sequential, a number the layer that scales by it.
Tree = list[Any]

#: What one layer adds to a graph: sin, pow, add.
NODES = 3


class Scale(nn.Module):
    """Like no other of its kind: the exponent is among the scalars that its nodes save."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x) ** (2 + self.factor / 1000) + self.factor / 2


def model_of(tree: Tree | float) -> nn.Module:
    return nn.Sequential(*map(model_of, tree)) if isinstance(tree, list) else Scale(tree)


def capture_of(net: nn.Module, size: tuple[int, ...] = (2,), *, backward: bool = False) -> Capture:
    """Capture one call, from a leaf `x` to a scalar `loss`."""
    x = torch.linspace(0.1, 1, torch.Size(size).numel()).reshape(size).requires_grad_()
    with autograd_inspect.record():
        loss = net(x).sum()
    return autograd_inspect.trace(loss, net, backward=backward)


def places(tree: Tree, path: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Give all places of layers, and those behind the last of each list."""
    yield from ((*path, place) for place in range(len(tree) + 1))
    for place, part in enumerate(tree):
        if isinstance(part, list):
            yield from places(part, (*path, place))


def inserted(tree: Tree, path: tuple[int, ...], part: Tree | float) -> Tree:
    changed = copy.deepcopy(tree)
    inside = changed
    for place in path[:-1]:
        inside = inside[place]
    inside.insert(path[-1], part)
    return changed


def odd_capture(rng: Random) -> Capture:
    """Make a small graph without rhyme or reason: odd edges, calls, numbers and names."""
    count = rng.randrange(1, 14)
    edges = [
        [rng.choice([-1, *range(node + 1, count)]) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        for node in range(count)
    ]
    leaf = [not any(target >= 0 for target in targets) for targets in edges]
    ops = [
        "AccumulateGrad" if leaf[node] else f"{rng.choice(['Mul', 'Sin', 'Cat'])}Backward0"
        for node in range(count)
    ]
    names = {node: rng.choice("abcd") for node in range(count) if rng.random() < 0.6}
    graph = graph_of(edges, ops=ops, names=names)
    nodes = [node for node in range(count) if not leaf[node]]
    if rng.random() < 0.6:
        modules = ["h:H", "h.0:A", "h.1:A", "h.0.x:B", "k:K", "h:H#2", "h.0:A#2"]
        graph = with_origins(
            graph,
            calls={node: rng.choice(modules) for node in nodes if rng.random() < 0.8},
            variables={node: rng.choice("xyz") for node in nodes if rng.random() < 0.3},
            places={node: f"m.py:{rng.randrange(1, 6)}" for node in range(count)},
        )
    if rng.random() < 0.4:
        turns = np.array([-1 if leaf[node] else rng.randrange(4) for node in range(count)])
        graph = replace(graph, node_table=replace(graph.node_table, sequence=turns))
    made = make_capture(graph)
    table = replace(made.gradients.table, node=graph.leaf_table.node)
    return Capture(graph, replace(made.gradients, table=table), made.about)


def layers_in(tree: Tree | float) -> list[float]:
    return (
        [layer for part in tree for layer in layers_in(part)] if isinstance(tree, list) else [tree]
    )
