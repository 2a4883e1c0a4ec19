"""Where the gradient of a leaf died on its way from the loss: the nodes that sent on nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.probes import Passed
from autograd_inspect.model.rows import Edge, Node
from autograd_inspect.model.tables import Kind
from autograd_inspect.model.training import Fate, Training

#: A share of what arrived, below which what is sent on counts as nothing.
FAINT = 1e-6
#: Steps of the way to a leaf that are followed.
_MOST = 20_000
#: A share of the first loss, down to which the last is no better.
_NO_BETTER = 0.9


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


def _gone_still(facts: Facts) -> frozenset[str]:
    """Name what had a gradient in the first steps and in none after, though the loss is no better.

    Where the loss is better, there may be nothing left to learn.
    """
    training = facts.training
    if training is None:
        return frozenset()
    norms: dict[str, list[float]] = {}
    for capture in facts.captures:
        if capture.about.backward is Backward.SCRIPT:
            for row in capture.gradients:
                if row.present and row.node >= 0 and row.count:
                    norms.setdefault(row.name, []).append(row.norm)
    return frozenset(
        fate.name
        for fate in training.parameters
        for alive in [_alive_for(norms.get(fate.name, ()))]
        if 0 < fate.nonzero <= alive < fate.arrived - 1 and not _is_better(training, fate, alive)
    )


def _alive_for(norms: Sequence[float]) -> int:
    """Count the gradients before those that are zero to the end; none where the last is not."""
    lasting = len(list(itertools.takewhile(lambda norm: not norm, reversed(norms))))
    return len(norms) - lasting if lasting else 0


def _is_better(training: Training, fate: Fate, after: int) -> bool:
    """Tell whether the loss was less after some steps of a parameter than at the first."""
    steps = [step for step in training.steps if step.optimizer in fate.optimizers]
    sums = [sum(loss.value or 0 for loss in step.losses) for step in steps]
    return after >= len(sums) or not sums[after] >= _NO_BETTER * sums[0]


def deaths(facts: Facts) -> list[Death]:
    """Find where gradients died that were zero throughout, or from some step on.

    The first graph that shows it counts.
    """
    names, found, done = lifeless(facts) | _gone_still(facts), [], set()
    for capture in facts.captures:
        rows = {
            row.name: row.node
            for row in capture.gradients
            if row.present and row.node >= 0 and not row.norm
        }
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
