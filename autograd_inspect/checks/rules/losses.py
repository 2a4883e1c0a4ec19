"""Losses that are given something of another kind or shape than they take."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.dying import operations
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.observed import Broadcast
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Node

#: What leaves probabilities what they are.
_BETWEEN = frozenset(["view", "reshape", "squeeze", "unsqueeze", "permute", "transpose", "t",
                      "select", "slice", "flatten", "expand", "clone", "to_copy",
                      "unsafe_view", "clamp", "clamp_min"])  # fmt: skip
#: Names of the product of two tensors, and what may be done to it before it is summed up.
_PRODUCTS = frozenset(["mul", "__mul__", "__rmul__", "multiply"])
_ELEMENTWISE = frozenset(["neg", "mul", "div", "minimum", "maximum", "clamp", "where"])
_PROBABILITIES = frozenset(["softmax", "sigmoid"])


def double_softmax(facts: Facts) -> Iterator[Finding]:
    """Find probabilities given to a loss that applies softmax or sigmoid itself."""
    for capture in facts.captures[:4]:
        for node in operations(capture):
            before = _normalised_again(facts, node)
            if before is not None:
                yield Finding(
                    message=f"{before.title} has made probabilities of the logits already, and the "
                    "loss applies it once more",
                    evidence=(
                        (
                            f"{node.title} at {node.place} takes the result of {before.title} at "
                            f"{before.place}"
                        ),
                    ),
                    repair="give the loss the logits, or use the loss that takes probabilities "
                    "(nll_loss of log_softmax, binary_cross_entropy)",
                    place=before.place,
                    related=related(
                        (node.place, "the loss applies it again here"), *_outside(before)
                    ),
                )
                break


def _normalised_again(facts: Facts, node: Node) -> Node | None:
    """Give the softmax or sigmoid whose result a node takes for logits."""
    before = _given_to(node)
    if before is None:
        return None
    if node.title == "logsumexp":  # `z - z.logsumexp(-1, keepdim=True)`, as Categorical does
        return before if _is_taken_from(before, node) else None
    if before.title == "softmax" and node.title == "log_softmax":
        return before
    return before if _is_loss(node) or _is_cross_entropy(facts, node) else None


def _is_taken_from(value: Node, normaliser: Node) -> bool:
    """Tell whether a node's result is subtracted from the value that it was computed of."""
    wanted = {value.index, normaliser.index}
    return any(
        one.title == "sub"
        and len(one.edges) > 1
        and {edge.target.index for edge in one.edges if edge.target is not None} == wanted
        for one in value.graph.nodes
    )


def _outside(node: Node) -> Iterator[tuple[Place | None, str]]:
    for place in node.stack[1:2]:
        yield place, "called from here"


def _is_loss(node: Node) -> bool:
    if node.title == "binary_cross_entropy_with_logits":
        return True
    if node.title != "log_softmax":
        return False
    if _feeds(node, {"nll_loss", "nll_loss2d", "nll_loss_nd"}):
        return True
    return node.call is not None and node.call.module.cls == "CrossEntropyLoss"


def _is_cross_entropy(facts: Facts, node: Node) -> bool:
    """Tell a log_softmax that cross_entropy made, by the line that called it."""
    if node.title != "log_softmax":
        return False
    return "cross_entropy(" in Sources(facts.start).line(node.place)


def _feeds(node: Node, titles: set[str]) -> bool:
    """Tell whether a node's result goes into one of these, at the same line."""
    for other in node.graph.nodes:
        if other.title in titles and any(
            edge.target is not None and _is_through(edge.target, node) for edge in other.edges
        ):
            return True
    return False


def _is_through(one: Node | None, wanted: Node) -> bool:
    while one is not None and one.index != wanted.index:
        if one.title not in _BETWEEN or not one.edges:
            return False
        one = one.edges[0].target
    return one is not None


def _given_to(node: Node) -> Node | None:
    """Find a softmax or sigmoid whose result goes straight into a loss."""
    one = node.edges[0].target if node.edges else None
    while one is not None and one.title in _BETWEEN and one.edges:
        one = one.edges[0].target
    return one if one is not None and one.title in _PROBABILITIES else None


def broadcast_in_loss(facts: Facts) -> Iterator[Finding]:
    """Find a column compared with a row, so that each is compared with every other."""
    for one in facts.observed.broadcasts:
        if not one.stack or not _is_by_mistake(facts, one):
            continue
        place = one.stack[0]
        size = max(map(max, one.shapes))
        first, second = (str(list(shape)) for shape in one.shapes)
        yield Finding(
            message=f"{one.op} of {first} and {second} is {[size, size]}: every element is "
            "compared with every other",
            evidence=(f"shapes {first} and {second} were broadcast",),
            repair="give both the same shape: pred.squeeze(-1), or target.unsqueeze(-1)",
            place=place,
            related=related(*((other, "called from here") for other in one.stack[1:2])),
        )


def _is_by_mistake(facts: Facts, one: Broadcast) -> bool:
    """Tell a square that nobody can want from a table of all pairs."""
    if one.is_loss:
        return True
    if one.op.rpartition(".")[2] in _PRODUCTS:
        return any(
            product.place == one.stack[0] and _is_square(product)
            for capture in facts.captures
            for product in _summed_up(capture)
        )
    if one.is_wanted:
        return False
    size = max(map(max, one.shapes))
    return any(
        _is_reduced(capture, one.stack[0], one.shapes) or _weighs_a_row(capture, size)
        for capture in facts.captures
    )


def _weighs_a_row(capture: Capture, size: int) -> bool:
    """Tell whether a row that learns is multiplied by a square of numbers, and all summed up."""
    return any(
        _shape(edge.target) == (size,)
        for product in _summed_up(capture)
        if _shape(product) == (size, size)
        for edge in product.edges
        if edge.target is not None
    )


def _summed_up(capture: Capture) -> Iterator[Node]:
    """Give the products all of whose elements a sum or mean adds up.

    Those of a column and a row make the product of their sums, which nobody writes so.
    """
    for node in capture.graph.nodes:
        if node.title not in {"mean", "sum"} or not node.outputs or node.outputs[0] is None:
            continue
        one = node.edges[0].target if node.outputs[0].shape == () and node.edges else None
        while one is not None and one.title in _ELEMENTWISE:
            if one.title == "mul":
                yield one
            one = next((edge.target for edge in one.edges if edge.target is not None), None)


def _shape(node: Node) -> tuple[int | str, ...]:
    spec = node.outputs[0] if node.outputs else None
    return spec.shape if spec is not None else ()


def _is_square(node: Node) -> bool:
    shape = _shape(node)
    return len(shape) == 2 and shape[0] == shape[1]


def _is_reduced(
    capture: Capture, place: object, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> bool:
    """Tell whether the graph has the square that was made at a line, from a column that learns.

    A column that was made one on purpose, by unsqueeze, means all pairs.
    """
    for node in operations(capture):
        if node.place != place or node.title not in {"sub", "rsub"} or not _is_square(node):
            continue
        targets = [edge.target for edge in node.edges if edge.target is not None]
        given = targets[0].outputs[0] if len(targets) == 1 and targets[0].outputs else None
        if given is not None and given.shape in shapes:
            return targets[0].title not in {"unsqueeze", "expand"}
    return False


RULES = (
    Rule("double_softmax", Severity.WARNING,
         "Probabilities given to a loss that applies softmax itself", double_softmax,
         frozenset(["vanishing_sigmoid_chain"])),
    Rule("broadcast_in_loss", Severity.WARNING,
         "A column against a row makes a square", broadcast_in_loss),
)  # fmt: skip
