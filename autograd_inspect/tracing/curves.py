"""Which leaves are worth a curve, and which tensors to draw against them.

A leaf of one dimension that is nobody's parameter is most likely an axis: `x = linspace(...)`. What
operations make of it element by element, `y = x.sin()`, is drawn against it, and its gradient, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import torch

from autograd_inspect.autograd.values import values_of
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.curves import Chart, Curve, Curves
from autograd_inspect.model.rows import Node
from autograd_inspect.tracing.names import Named
from autograd_inspect.tracing.sightings import Arrivals

#: Elements of the longest leaf that is drawn, leaves of a capture, and results of each leaf.
LONGEST, MOST_LEAVES, MOST_RESULTS = 10_000, 4, 3
#: Leaves further on are not looked at.
MOST_LOOKED_AT = 64

#: Operations that keep a shape but mix its elements: their result says nothing against the leaf.
_MIXING = frozenset(
    f"{name}Backward0"
    for name in (
        *("Addmv", "Cummax", "Cummin", "Cumprod", "Cumsum", "FftC2C", "Flip", "Gather", "Index"),
        *("IndexSelect", "LogSoftmax", "Logcumsumexp", "Mm", "Mv", "Roll", "Softmax", "Sort"),
        *("Take", "Topk"),
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A chart before the backward: all of it but the gradient."""

    row: int
    tensor: torch.Tensor
    leaf: Curve
    results: tuple[Curve, ...]


def sketches_of(walked: Walk, named: Named) -> list[Sketch]:
    """Take the values there are before the backward, which may overwrite them.

    A leaf that nothing is to be drawn against is one of many, or the only one there is.
    """
    found: list[Sketch] = []
    axes = _axes(walked, named)
    users = _users(walked) if axes else {}
    for row, node, leaf in axes:
        results = tuple(_results(walked, named, leaf, _made_elementwise(walked, users, node)))
        values = values_of(leaf) if results or len(walked.leaves) == 1 else None
        if values is not None and len(found) < MOST_LEAVES:
            curve = Curve(named.by_id.get(id(leaf), f"leaf {node}"), node, values)
            found.append(Sketch(row, leaf, curve, results))
    return found


def curves_of(sketches: Sequence[Sketch], arrivals: Arrivals) -> Curves:
    """Finish the charts of the leaves that a gradient arrived at."""
    charts = []
    for sketch in sketches:
        gradient = arrivals.gradient(sketch.tensor)
        values = None if gradient is None or gradient.is_complex() else values_of(gradient)
        if values is not None and values.shape == sketch.leaf.values.shape:
            arrived = Curve(f"{sketch.leaf.name}.grad", sketch.leaf.node, values)
            charts.append(Chart(sketch.row, sketch.leaf, sketch.results, arrived))
    return Curves.of(charts)


def _axes(walked: Walk, named: Named) -> list[tuple[int, int, torch.Tensor]]:
    """List the leaves that may be an axis, each with its row and its node."""
    owned = {id(parameter) for parameter in named.parameters.values()}
    nodes = walked.graph.leaf_table.node.tolist()
    found = (
        (row, node, leaf)
        for row, (node, leaf) in enumerate(zip(nodes, walked.leaves, strict=True))
        if id(leaf) not in owned and _is_axis(leaf)
    )
    return list(islice(found, MOST_LOOKED_AT))


def _is_axis(tensor: torch.Tensor) -> bool:
    return tensor.dim() == 1 and 2 <= tensor.numel() <= LONGEST and tensor.is_floating_point()


def _results(walked: Walk, named: Named, leaf: torch.Tensor, above: set[int]) -> Iterator[Curve]:
    """Give the tensors that `above`, the nodes that make them, put out; nearest to the leaf first.

    Only those that the program still holds have values.
    """
    held: dict[int, torch.Tensor] = {}
    for tensor in named.reached if above else ():
        with suppress(RuntimeError):  # a view of what was overwritten may have lost its own
            if tensor.grad_fn is not None and tensor.shape == leaf.shape:
                held.setdefault(walked.node_of(tensor), tensor)
    depth = walked.graph.node_table.depth
    nearest = sorted(above & held.keys(), key=lambda node: (-depth[node], node))
    for node in nearest[:MOST_RESULTS]:
        values = None if held[node].is_complex() else values_of(held[node])
        if values is not None:
            yield Curve(named.by_id[id(held[node])], node, values)


def _users(walked: Walk) -> dict[int, list[int]]:
    """List by node which others lead to it: those that its output went into."""
    users: dict[int, list[int]] = {}
    start, target = walked.structure.start, walked.structure.target
    for node in range(len(walked.nodes)):
        for following in target[start[node] : start[node + 1]]:
            users.setdefault(following, []).append(node)
    return users


def _made_elementwise(walked: Walk, users: Mapping[int, Sequence[int]], leaf: int) -> set[int]:
    """Collect the nodes that a leaf leads to through nothing but results of its own shape."""
    found: set[int] = set()
    waiting = [leaf]
    shape = _shape(walked.graph.node(leaf))
    for node in waiting:
        for user in users.get(node, ()):
            one = walked.graph.node(user)
            if user not in found and _shape(one) == shape and one.op not in _MIXING:
                found.add(user)
                waiting.append(user)
    return found


def _shape(node: Node) -> object:
    return next((spec.shape for spec in node.outputs if spec is not None), None)
