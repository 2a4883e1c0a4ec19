"""Which leaves are worth a curve, and which tensors to draw against them.

A leaf of one dimension that is nobody's parameter is most likely an axis: `x = linspace(...)`. What
operations make of it element by element, `y = x.sin()`, is drawn against it, and its gradient, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch

from autograd_inspect.autograd.values import values_of
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.curves import Chart, Curve, Curves
from autograd_inspect.tracing.names import Named
from autograd_inspect.tracing.sightings import Arrivals

#: Elements of the longest leaf that is drawn, leaves of a capture, and results of each leaf.
LONGEST, MOST_LEAVES, MOST_RESULTS = 10_000, 4, 3

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
    """Take the values there are before the backward, which may overwrite them."""
    found: list[Sketch] = []
    nodes = walked.graph.leaf_table.node.tolist()
    owned = {id(parameter) for parameter in named.parameters.values()}
    for row, (node, leaf) in enumerate(zip(nodes, walked.leaves, strict=True)):
        if len(found) == MOST_LEAVES:
            break
        values = values_of(leaf) if id(leaf) not in owned and _is_axis(leaf) else None
        if values is not None:
            curve = Curve(named.by_id.get(id(leaf), f"leaf {node}"), node, values)
            found.append(Sketch(row, leaf, curve, tuple(_results(walked, named, node, leaf))))
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


def _is_axis(tensor: torch.Tensor) -> bool:
    return tensor.dim() == 1 and 2 <= tensor.numel() <= LONGEST and tensor.is_floating_point()


def _results(walked: Walk, named: Named, node: int, leaf: torch.Tensor) -> Iterator[Curve]:
    """Give the tensors that are made of a leaf element by element, those nearest to it first."""
    held: dict[int, torch.Tensor] = {}
    for tensor in named.reached:
        with suppress(RuntimeError):  # a view of what was overwritten may have lost its own
            if tensor.grad_fn is not None and tensor.shape == leaf.shape:
                held.setdefault(walked.node_of(tensor), tensor)
    above = _made_elementwise(walked, node) if held else set()
    depth = walked.graph.node_table.depth
    nearest = sorted(above & held.keys(), key=lambda one: (-depth[one], one))
    for one in nearest[:MOST_RESULTS]:
        values = None if held[one].is_complex() else values_of(held[one])
        if values is not None:
            yield Curve(named.by_id[id(held[one])], one, values)


def _made_elementwise(walked: Walk, leaf: int) -> set[int]:
    """Collect the nodes that a leaf leads to through nothing but results of its own shape."""
    graph, structure = walked.graph, walked.structure
    users: dict[int, list[int]] = {}
    shape = graph.node(leaf).outputs[0]
    for node in graph.nodes:
        made = {output.shape if output else None for output in node.outputs}
        if made & {shape.shape if shape else None, None} and node.op not in _MIXING:
            first, last = structure.start[node.index], structure.start[node.index + 1]
            for target in structure.target[first:last]:
                users.setdefault(target, []).append(node.index)
    found = {leaf}
    waiting = [leaf]
    for one in waiting:
        new = [user for user in users.get(one, ()) if user not in found]
        found.update(new)
        waiting += new
    return found
