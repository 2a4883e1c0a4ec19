"""Random draws through which no gradient flows to the parameters of their distribution."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import named
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding
from autograd_inspect.model.gradients import Gradient
from autograd_inspect.model.rows import Node

_DRAWS = ("Normal", "Bernoulli", "Poisson", "Binomial")


def drawn(facts: Facts) -> Iterator[Finding]:
    """Find draws that autograd knows, with a derivative of zero."""
    for capture in facts.captures:
        zero = {row.node: row for row in capture.gradients if _is_zero(row)}
        for node in capture.graph.nodes if zero else ():
            if node.op.partition("Backward")[0] not in _DRAWS:
                continue
            names = [zero[one].name for one in _behind(node) if one in zero]
            if names:
                yield Finding(
                    message=f"{node.title} draws a sample, whose derivative is zero, so "
                    f"{named(names)} learns nothing",
                    evidence=(f"the gradient of {named(names)} is exactly zero",),
                    repair="write the draw as a function of the parameters: "
                    "mean + std * torch.randn_like(std), or a relaxed distribution's rsample()",
                    place=node.place,
                    tensors=tuple(names),
                    marked=node.title,
                )


def _is_zero(row: Gradient) -> bool:
    return row.present and row.node >= 0 and 0 < row.count == row.zeros


def _behind(node: Node) -> Iterator[int]:
    """Give the nodes that a gradient from this one flows to."""
    waiting, seen = [node.index], {node.index}
    while waiting:
        for edge in node.graph.node(waiting.pop()).edges:
            if edge.target is not None and edge.target.index not in seen:
                seen.add(edge.target.index)
                waiting.append(edge.target.index)
                yield edge.target.index
