"""Where the gradient of a leaf died on its way from the loss: the nodes that sent on nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.probes import Passed
from autograd_inspect.model.rows import Edge, Node
from autograd_inspect.model.tables import Kind

#: A share of what arrived, below which what is sent on counts as nothing.
FAINT = 1e-6
#: Steps of the way to a leaf that are followed.
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Death:
    """A node to which a gradient came, and that sent next to nothing towards some leaves."""

    capture: Capture
    node: Node
    slot: int
    arrived: Passed
    sent: Passed | None
    leaves: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """The gradients of one graph by node and edge, for questions that go towards the root."""

    graph: Graph

    @cached_property
    def arrived(self) -> Mapping[int, Passed]:
        """The gradient of all outputs together, by node."""
        found = ((node.index, node.gradient) for node in self.graph.nodes)
        return {index: gradient for index, gradient in found if gradient is not None}

    @cached_property
    def into(self) -> Mapping[int, list[Edge]]:
        """The edges that lead to each node."""
        found: dict[int, list[Edge]] = {}
        for node in self.graph.nodes:
            for edge in node.edges:
                if edge.target is not None:
                    found.setdefault(edge.target.index, []).append(edge)
        return found

    def is_still(self, index: int) -> bool:
        """Whether what arrived at a node is exactly nothing."""
        found = self.arrived.get(index)
        return found is not None and not found.norm

    def above(self, node: Node) -> set[int]:
        """Give a node and all that its result goes into."""
        ahead, seen = [node.index], {node.index}
        while ahead and len(seen) < _MOST:
            for edge in self.into.get(ahead.pop(), ()):
                if edge.source.index not in seen:
                    seen.add(edge.source.index)
                    ahead.append(edge.source.index)
        return seen

    def deaths_of(self, leaf: int) -> Iterator[Edge]:
        """Give the edges that brought nothing although something had come to their source."""
        ahead, seen = [leaf], {leaf}
        while ahead and len(seen) < _MOST:
            for edge in self.into.get(ahead.pop(), ()):
                source = edge.source.index
                if not self.is_still(source) and source in self.arrived:
                    yield edge
                elif source not in seen:
                    seen.add(source)
                    ahead.append(source)


def lifeless(facts: Facts) -> frozenset[str]:
    """Name what got a gradient that was exactly zero in every backward and every step."""
    zero: set[str] = set()
    alive: set[str] = set()
    for capture in facts.captures:
        if capture.about.backward is not Backward.SCRIPT:
            continue
        for row in capture.gradients:
            if row.present and row.node >= 0 and row.count:
                (alive if row.norm or np.isnan(row.norm) else zero).add(row.name)
    if facts.training is not None:
        alive |= {fate.name for fate in facts.training.parameters if fate.nonzero}
    return frozenset(zero - alive)


def deaths(facts: Facts) -> list[Death]:
    """Find where gradients that were zero throughout died, in the first graph that shows each."""
    names, found, done = lifeless(facts), [], set()
    for capture in facts.captures:
        rows = {row.name: row.node for row in capture.gradients if row.present and row.node >= 0}
        wanted = {n: i for n, i in rows.items() if n in names and n not in done}
        if not wanted or capture.about.backward is not Backward.SCRIPT:
            continue
        flow = Flow(capture.graph)
        killed: dict[tuple[int, int], list[str]] = {}
        edges: dict[tuple[int, int], Edge] = {}
        for name, leaf in wanted.items():
            for edge in flow.deaths_of(leaf):
                done.add(name)
                edges[edge.source.index, edge.slot] = edge
                killed.setdefault((edge.source.index, edge.slot), []).append(name)
        for key, leaves in killed.items():
            edge = edges[key]
            found.append(Death(capture, edge.source, edge.slot, flow.arrived[key[0]],
                               edge.gradient, tuple(leaves)))  # fmt: skip
    return found


def operations(capture: Capture) -> Iterator[Node]:
    """Give the nodes that are no leaves."""
    return (node for node in capture.graph.nodes if node.kind is not Kind.LEAF)
