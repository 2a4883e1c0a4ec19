"""Models made of known layers, and edits of them: what a diff must find is known beforehand."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
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


def layers_in(tree: Tree | float) -> list[float]:
    return (
        [layer for part in tree for layer in layers_in(part)] if isinstance(tree, list) else [tree]
    )
