"""Gradients of several paths that meet and cancel, exactly or nearly so."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograd_inspect.checks.around import leaves_below
from autograd_inspect.checks.cutting import lost, trails
from autograd_inspect.checks.dying import Flow, lifeless
from autograd_inspect.checks.reading import name_of, named, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Edge, Node
from autograd_inspect.model.tables import Kind

#: What is left of gradients that cancel, as a share of the largest of them.
_LEFT = 1e-6
#: What gives one of several values, or rounds.
_CHOICES = frozenset(["embedding", "index", "index_select", "gather", "take", "sign", "round",
                      "floor", "ceil", "trunc", "sgn"])  # fmt: skip
#: Which input of an operation is the bias.
_BIASES = {"addmm": {0}, "baddbmm": {0}, "addmv": {0}, "convolution": {2}, "linear": {2},
           "native_layer_norm": {2}, "native_batch_norm": {2}, "add": {0, 1}}  # fmt: skip


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
    yield from _reversed(facts)


def _reversed(facts: Facts) -> Iterator[Finding]:
    """Find `q + (x - q).detach()`: it has the value of x, and gives the gradient to q."""
    sources = Sources(facts.start)
    without = {one.name for one in lost(facts)} | lifeless(facts)
    for trail in trails(facts):
        names = tuple(name for name in trail.leaves if name in without)
        statement = sources.statement(trail.place) if trail.place is not None else None
        parts = _exchanged(statement) if statement is not None else None
        if not names or parts is None or trail.kind not in {CutKind.DETACH, CutKind.DATA}:
            continue
        if not any(
            use.node is not None and _takes_a_choice(use.node) for use in trail.uses.values()
        ):
            continue  # x + (q - x).detach() it is, and q has no other loss
        value, taker = parts
        yield Finding(
            message=f"the straight-through estimator gives the gradient to {taker}, none to "
            f"{value}: no gradient reaches {named(names)}",
            evidence=(f"its value is that of {value}, whose graph the detach cuts off",),
            repair=f"write it the other way round: {value} + ({taker} - {value}).detach()",
            place=trail.place,
            tensors=names,
        )


def _takes_a_choice(node: Node) -> bool:
    """Tell whether what is added to has been chosen or rounded: a row of a codebook, a sign."""
    for edge in node.edges:
        one = edge.target
        while one is not None and one.kind is Kind.VIEW and one.edges:
            one = one.edges[0].target
        if one is not None and one.title in _CHOICES:
            return True
    return False


def _exchanged(statement: ast.stmt) -> tuple[str, str] | None:
    """Give x and q of a statement with `q + (x - q).detach()`."""
    for one in ast.walk(statement):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add):
            for sum_of, other in ((one.left, one.right), (one.right, one.left)):
                difference = _detached_difference(sum_of)
                if difference is not None and difference[1] == ast.unparse(other):
                    return difference
    return None


def _detached_difference(node: ast.expr) -> tuple[str, str] | None:
    """Give the two parts of `(x - q).detach()` or `(x - q).data`."""
    called = node.func if isinstance(node, ast.Call) else node
    if not isinstance(called, ast.Attribute) or called.attr not in {"detach", "data"}:
        return None
    inner = called.value
    if not isinstance(inner, ast.BinOp) or not isinstance(inner.op, ast.Sub):
        return None
    return ast.unparse(inner.left), ast.unparse(inner.right)


def _finding(node: Node, edges: list[Edge], capture: Capture, what: str, repair: str) -> Finding:
    name = name_of(node)
    sizes = ", ".join(f"{edge.gradient.norm:.3g}" for edge in edges if edge.gradient is not None)
    left = node.gradients[edges[0].output]
    takers = [edge.source for edge in edges]
    place = _meeting(edges, Flow(capture.graph)).place
    lines = list(dict.fromkeys(taker.place for taker in takers if taker.place is not None))
    return Finding(
        message=f"no gradient is left of {name}: {what}",
        evidence=(
            (f"gradients with norms {sizes} arrive, their sum has "
            f"{left.norm if left is not None else 0:.3g}"),
        ),
        repair=repair,
        place=place,
        tensors=tuple(name_of(leaf) for leaf in leaves_below(node))[:20],
        related=related(*((line, "one of the paths begins here") for line in lines
                          if line != place),
                        (capture.about.place, "backward was called here")),
    )  # fmt: skip


def _meeting(edges: list[Edge], flow: Flow) -> Node:
    """Find the operation that puts the paths together: the first that all of them lead to."""
    living = [edge for edge in edges if _lives(edge)]
    above = [flow.above(edge.source) for edge in living]
    common = set.intersection(*map(set, above)) if above else set()
    latest = max((edge.source for edge in edges), key=lambda one: one.sequence)
    graph = latest.graph
    return min((graph.node(one) for one in common), key=lambda one: one.sequence, default=latest)


def _lives(edge: Edge) -> bool:
    return edge.gradient is not None and bool(edge.gradient.norm)


def _cancelled(facts: Facts) -> Iterator[tuple[Node, list[Edge], Capture]]:
    """Find where several gradients meet and leave nothing, in every graph that has the place.

    Not where calls of one line give to one leaf, or several a bias: so that of a critic gets
    nothing that is given as many real as false samples, nor that of an encoder whose outputs are
    only compared.
    """
    for capture in _first_of_each_line(facts):
        flow = Flow(capture.graph)
        for node in capture.graph.nodes:
            edges = [edge for edge in flow.into.get(node.index, ()) if edge.gradient is not None]
            for output in range(len(node.outputs)):
                here = [edge for edge in edges if edge.output == output]
                met = len(here) > 1 and _leaves_nothing(node, output, here)
                if (
                    met
                    and not _are_calls_of_one_line(node, here)
                    and not all(map(_shifts, here))
                    and not _lives_otherwise(node, flow)
                ):
                    yield node, here, capture


def _first_of_each_line(facts: Facts) -> list[Capture]:
    found: dict[Place | None, Capture] = {}
    for capture in facts.captures:
        if capture.about.backward is Backward.SCRIPT:
            found.setdefault(capture.about.place, capture)
    return list(found.values())


def _are_calls_of_one_line(node: Node, edges: list[Edge]) -> bool:
    takers = {(edge.source.op, edge.source.place) for edge in edges}
    return node.leaf is not None and len(takers) == 1


def _shifts(edge: Edge) -> bool:
    """Tell the use of a leaf as a bias, which a loss of differences is free to leave alone."""
    is_leaf = edge.target is not None and edge.target.leaf is not None
    return is_leaf and edge.slot in _BIASES.get(edge.source.title, ())


def _leaves_nothing(node: Node, output: int, edges: list[Edge]) -> bool:
    total = node.gradients[output]
    sizes = [edge.gradient.norm for edge in edges if edge.gradient is not None]
    largest = max(sizes)
    if total is None or not largest or not total.is_finite:
        return False
    return total.norm <= _LEFT * largest


def _lives_otherwise(node: Node, flow: Flow) -> bool:
    """Tell whether what lies behind a node gets a gradient by another way."""
    leaves = leaves_below(node)
    norms = [flow.arrived[leaf.index].norm for leaf in leaves if leaf.index in flow.arrived]
    return not norms or min(norms) > _LEFT * max(
        (one.norm for one in flow.arrived.values() if one.is_finite), default=0.0
    )


def _is_straight_through(edges: list[Edge]) -> bool:
    """Tell `x + q - x`: the same line adds and subtracts the tensor itself.

    Of several lines it is one where what is between brings nothing, such as the rounding of
    `q = round(x)`, `x + (q - x)`; a sample and its log_prob look like it otherwise.
    """
    living = [edge.source for edge in edges if _lives(edge)]
    places = {one.place for one in living}
    in_turn = len(places) == 1 or (len(living) < len(edges) and _follow_each_other(living))
    return in_turn and {one.title for one in living} <= {"add", "sub", "rsub"}


def _follow_each_other(nodes: list[Node]) -> bool:
    """Tell whether one takes the result of another."""
    given = {edge.target.index for one in nodes for edge in one.edges if edge.target is not None}
    return not given.isdisjoint(one.index for one in nodes)


RULES = (
    Rule("gradient_cancels", Severity.ERROR, "Two paths that cancel exactly", gradient_cancels),
    Rule("wrong_straight_through", Severity.ERROR,
         "A straight-through estimator that cancels", wrong_straight_through,
         frozenset(["zero_derivative_op", "detach_before_use"])),
)  # fmt: skip
