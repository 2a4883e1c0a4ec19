"""Gradients of several paths that meet and cancel, exactly or nearly so."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.dying import Flow
from autograd_inspect.checks.reading import name_of, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.rows import Edge, Node

#: What is left of gradients that cancel, as a share of the largest of them.
_LEFT = 1e-6
#: Where layers take the bias that they add: the operation, and the place among what it is given.
_BIASES = ({("addmm", 0)}, {("addmv", 0)}, {("convolution", 2)}, {("native_layer_norm", 2)},
           {("native_batch_norm", 2)}, {("baddbmm", 0)}, {("linear", 2)})  # fmt: skip


def gradient_cancels(facts: Facts) -> Iterator[Finding]:
    """Find a tensor whose gradients, from several uses of it, add up to nothing."""
    for node, edges, capture in _cancelled(facts):
        if _is_straight_through(edges):
            continue
        yield _finding(node, edges, capture, "two paths through it cancel exactly",
                       "detach one of the two: rsample() with a log_prob of the same distribution "
                       "wants sample(), or a detached value")  # fmt: skip


def wrong_straight_through(facts: Facts) -> Iterator[Finding]:
    """Find a straight-through estimator that takes its own gradient away again."""
    for node, edges, capture in _cancelled(facts):
        if _is_straight_through(edges):
            yield _finding(node, edges, capture, "the straight-through estimator adds and "
                           "subtracts it with its graph, which cancels",
                           "detach the difference: x + (quantised - x).detach()")  # fmt: skip


def _finding(node: Node, edges: list[Edge], capture: Capture, what: str, repair: str) -> Finding:
    name = name_of(node)
    sizes = ", ".join(f"{edge.gradient.norm:.3g}" for edge in edges if edge.gradient is not None)
    left = node.gradients[edges[0].output]
    takers = [edge.source for edge in edges]
    latest = max(takers, key=lambda one: one.sequence)
    lines = list(dict.fromkeys(taker.place for taker in takers if taker.place is not None))
    return Finding(
        message=f"no gradient is left of {name}: {what}",
        evidence=(
            (f"gradients with norms {sizes} arrive, their sum has "
            f"{left.norm if left is not None else 0:.3g}"),
        ),
        repair=repair,
        place=latest.place,
        tensors=tuple(name_of(leaf) for leaf in _leaves(node))[:20],
        related=related(*((line, "one of the paths begins here") for line in lines
                          if line != latest.place),
                        (capture.about.place, "backward was called here")),
    )  # fmt: skip


def _cancelled(facts: Facts) -> Iterator[tuple[Node, list[Edge], Capture]]:
    """Find where several gradients meet and leave nothing, in every graph that has the place.

    Not where calls of one line give to one leaf, or several a bias: so that of a critic gets
    nothing that is given as many real as false samples, nor that of an encoder whose outputs are
    only compared.
    """
    for capture in facts.captures[:1]:
        if capture.about.backward is not Backward.SCRIPT:
            continue
        flow = Flow(capture.graph)
        for node in capture.graph.nodes:
            edges = [edge for edge in flow.into.get(node.index, ()) if edge.gradient is not None]
            for output in range(len(node.outputs)):
                here = [edge for edge in edges if edge.output == output]
                met = len(here) > 1 and _leaves_nothing(node, output, here)
                if (
                    met
                    and not _are_calls_of_one_line(node, here)
                    and not _lives_otherwise(node, flow)
                ):
                    yield node, here, capture


def _are_calls_of_one_line(node: Node, edges: list[Edge]) -> bool:
    takers = {(edge.source.op, edge.source.place) for edge in edges}
    added = {(edge.source.title, edge.slot) for edge in edges}
    return node.leaf is not None and (len(takers) == 1 or added in _BIASES)


def _leaves_nothing(node: Node, output: int, edges: list[Edge]) -> bool:
    total = node.gradients[output]
    sizes = [edge.gradient.norm for edge in edges if edge.gradient is not None]
    largest = max(sizes)
    if total is None or not largest or not total.is_finite:
        return False
    return total.norm <= _LEFT * largest


def _lives_otherwise(node: Node, flow: Flow) -> bool:
    """Tell whether what lies behind a node gets a gradient by another way."""
    leaves = _leaves(node)
    norms = [flow.arrived[leaf.index].norm for leaf in leaves if leaf.index in flow.arrived]
    return not norms or min(norms) > _LEFT * max(
        (one.norm for one in flow.arrived.values() if one.is_finite), default=0.0
    )


def _leaves(node: Node) -> list[Node]:
    ahead, seen, found = [node], {node.index}, []
    while ahead:
        one = ahead.pop()
        if one.leaf is not None:
            found.append(one)
        for edge in one.edges:
            if edge.target is not None and edge.target.index not in seen:
                seen.add(edge.target.index)
                ahead.append(edge.target)
    return found


def _is_straight_through(edges: list[Edge]) -> bool:
    """Tell `x + q - x`: the same line adds and subtracts the tensor itself."""
    places = {edge.source.place for edge in edges}
    titles = {edge.source.title for edge in edges}
    return len(places) == 1 and titles <= {"add", "sub", "rsub"}


RULES = (
    Rule("gradient_cancels", Severity.ERROR, "Two paths that cancel exactly", gradient_cancels),
    Rule("wrong_straight_through", Severity.ERROR,
         "A straight-through estimator that cancels", wrong_straight_through),
)  # fmt: skip
