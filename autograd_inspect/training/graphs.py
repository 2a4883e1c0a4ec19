"""The graphs that backward is called on: how large they are, and which of them live on.

Every node is given a token of the call that it was met in. Tokens are held by nothing else, so one
that is still there says that a node of its graph is; and a node that has one already says that a
graph contains part of an earlier one.
"""

from __future__ import annotations

import weakref
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.graph import GradientEdge

from autograd_inspect.autograd._torch import GraphNode, made_by, sequence_of
from autograd_inspect.autograd.walker import gradient_edge
from autograd_inspect.autograd.weight import Scales

#: Where a token is kept, in the metadata of a node.
_KEY = "autograd_inspect.step"
#: Steps in which a graph was made that is not done with any more.
_SPREAD = 3
#: The numbers of nodes that accumulate into leaves, which are of no time, start here.
_OF_LEAVES = 2**62


class Token:
    """Stands for one call of backward, in the step with this number."""

    __slots__ = ("__weakref__", "step")

    def __init__(self, step: int) -> None:
        self.step = step


@dataclass(frozen=True, slots=True)
class Seen:
    """What a graph amounts to; fields as in `model.training.Step`."""

    nodes: int
    saved: int
    earlier: int


class Graphs:
    """Looks at each graph before its backward frees it."""

    def __init__(self) -> None:
        self._scales = Scales()
        self._tokens: list[weakref.ref[Token]] = []

    def look(
        self, roots: Sequence[torch.Tensor | GradientEdge], step: int
    ) -> tuple[Seen, list[torch.Tensor]]:
        """Weigh the graph that leads from these roots in a step; gives its leaves as well."""
        weight = self._scales.weigh(gradient_edge(root).node for root in roots)
        token = Token(step)
        earlier = sum(_mark(node, token) < step for node in weight.inner)
        self._tokens.append(weakref.ref(token))
        weight.release()
        return Seen(weight.nodes, weight.saved, earlier), weight.leaves

    def alive(self, step: int) -> int:
        """Count the graphs of earlier steps that are still alive."""
        self._tokens = [ref for ref in self._tokens if ref() is not None]
        tokens = (ref() for ref in self._tokens)
        return sum(token is not None and token.step < step for token in tokens)


def _mark(node: GraphNode, token: Token) -> int:
    """Give a node a token unless it has one, and the step of the one it has."""
    known = node.metadata.setdefault(_KEY, token)
    return int(known.step)


def steps_behind(tensor: torch.Tensor, ends: Sequence[int] = (), most: int = 2000) -> int:
    """Count the steps whose graphs a tensor's graph contains, among its nearest nodes.

    By the calls of backward that went through them; and where none did, by when they were made:
    `ends` are autograd's numbers at the ends of steps. A graph that was made in two of them is
    only not done with yet.
    """
    grad_fn = made_by(tensor)
    waiting: list[GraphNode] = [grad_fn] if grad_fn is not None else []
    seen = set(waiting)
    steps, made = set(), set()
    for node in waiting:
        token = node.metadata.get(_KEY)
        if isinstance(token, Token):
            steps.add(token.step)
        number = sequence_of(node)
        if number < _OF_LEAVES:
            made.add(bisect(ends, number))
        for following, _ in node.next_functions:
            if following is not None and following not in seen and len(seen) < most:
                seen.add(following)
                waiting.append(following)
    return len(steps) if len(steps) > 1 or len(made) < _SPREAD else len(made)


def step_of(tensor: torch.Tensor) -> int:
    """Give the step in which backward was called on a tensor's graph, 0 for never."""
    node = made_by(tensor)
    kept: Any = node.metadata if node is not None else {}
    token = kept.get(_KEY)
    return token.step if isinstance(token, Token) else 0
