"""Gradients that arrive as exact zeros, or next to nothing, by the operation at which they died."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from autograd_inspect.checks.around import names_below
from autograd_inspect.checks.dying import FAINT, Death, Flow, deaths, operations
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.capture import Backward
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.rows import Node

_RELUS = frozenset(
    [
        "relu",
        "threshold",
        "relu6",
        "hardswish",
        "hardshrink",
        "softshrink",
        "leaky_relu",
        "elu",
        "mkldnn_relu",
    ]
)
_FLAT = frozenset(["sigmoid", "tanh", "softmax", "log_sigmoid", "log_sigmoid_forward", "gelu",
                   "silu", "softplus", "erf", "logsoftmax", "log_softmax", "mish", "softsign",
                   "hardtanh", "hardsigmoid"])  # fmt: skip
#: Their derivative is nowhere zero: what sends on nothing is at an optimum, or has an entropy.
_NEVER_FLAT = frozenset(["logsoftmax", "log_softmax"])
_CLAMPS = frozenset(["clamp", "clamp_min", "clamp_max", "clip", "minimum", "maximum"])
_STEPS = frozenset(["sign", "round", "floor", "ceil", "trunc", "sgn", "heaviside", "frac", "fix",
                    "floor_divide", "remainder", "fmod", "zeros_like"])  # fmt: skip
_PRODUCTS = frozenset(["mul", "mm", "bmm", "addmm", "baddbmm", "matmul", "mv", "dot", "linear",
                       "addmv", "convolution", "addr", "ger"])  # fmt: skip
#: Elements below which a unit that is off is no more than one sample that does not matter.
_FEW_SIZES = 1
#: Up to here a lower bound is an epsilon.
_GUARD = 1e-3
_NAMES = 4


def _finding(found: Sequence[Death], message: str, repair: str, *evidence: str) -> Finding:
    first = found[0]
    tensors = tuple(dict.fromkeys(name for one in found for name in one.leaves))
    return Finding(
        message=message,
        evidence=(
            (
                f"a gradient with norm {first.arrived.norm:.3g} arrives at {first.node.title}, and "
                f"{_sent(first)} goes on to {_listed(tensors)}"
            ),
            *evidence,
        ),
        repair=repair,
        place=first.node.place,
        tensors=tensors,
        related=related((first.capture.about.place, "backward was called here")),
    )


def _sent(death: Death) -> str:
    return "nothing" if death.sent is None or not death.sent.norm else f"{death.sent.norm:.3g}"


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + rest


def _by_line(facts: Facts, fits: Callable[[Death], bool]) -> Iterable[list[Death]]:
    """Give the deaths that fit, those of one line and operation together."""
    found: dict[object, list[Death]] = {}
    for one in deaths(facts):
        if fits(one):
            found.setdefault((one.node.place, one.node.title), []).append(one)
    return found.values()


def dead_relu(facts: Facts) -> Iterator[Finding]:
    """Find a ReLU all of whose units are off."""
    for found in _by_line(facts, lambda one: _is_relu(one.node)):
        yield _finding(
            found,
            f"every unit of {found[0].node.title} is off, so no gradient passes it",
            "leave the activation off the output, start with a positive bias or smaller weights, "
            "or use leaky_relu",
            "its derivative is zero for every element that is not positive",
        )


def _is_relu(node: Node) -> bool:
    """Tell a ReLU, or a hardtanh that begins at zero, as relu6 is one."""
    return node.title in _RELUS or (node.title == "hardtanh" and not node.attributes.get("min_val"))


def clamp_saturation(facts: Facts) -> Iterator[Finding]:
    """Find a clamp beyond whose bounds every value lies."""
    for found in _by_line(facts, lambda one: one.node.title in _CLAMPS and not _is_guard(one.node)):
        bounds = {k: v for k, v in found[0].node.attributes.items() if k in {"min", "max"}}
        yield _finding(
            found,
            f"every value lies beyond the bounds of {found[0].node.title}, where its derivative "
            "is zero",
            "bound the value smoothly (sigmoid, tanh, softplus), or clamp without gradient in "
            "the update only",
            *(f"{name} is {value}" for name, value in bounds.items()),
        )


def _is_guard(node: Node) -> bool:
    """Tell a small lower bound, which keeps a root or a division from being infinite."""
    least = node.attributes.get("min")
    return isinstance(least, int | float) and 0 < least <= _GUARD


def zero_derivative_op(facts: Facts) -> Iterator[Finding]:
    """Find sign, round and the like between a parameter and the loss."""
    for found in _by_line(facts, lambda one: _is_step(one.node)):
        op = found[0].node.title
        yield _finding(
            found,
            f"{op} has a derivative of zero everywhere",
            f"use a smooth function, or a straight-through estimator: x + ({op}(x) - x).detach()",
        )


def _is_step(node: Node) -> bool:
    """Tell what gives whole numbers; a division does where it was told how to round."""
    return node.title in _STEPS or bool(node.attributes.get("rounding_mode"))


def softmax_singleton_dim(facts: Facts) -> Iterator[Finding]:
    """Find a softmax over a single element, which is always 1."""
    for found in _by_line(facts, lambda one: _is_over_one(one.node)):
        node = found[0].node
        spec = node.outputs[0]
        yield _finding(
            found,
            f"{node.title} runs over a dimension of size 1, so its result is constant",
            "use sigmoid for a single logit, or the dimension that has the classes",
            f"its input has shape {spec.shape_text if spec else '?'}, dim is "
            f"{node.attributes.get('dim')}",
        )


def saturated_activation(facts: Facts) -> Iterator[Finding]:
    """Find an activation that is flat for every element."""
    for found in _by_line(
        facts,
        lambda one: (
            one.node.title in _FLAT and not _is_over_one(one.node) and not _is_relu(one.node)
        ),
    ):
        yield _flat_finding(found)
    known = {one.node.place for one in deaths(facts)}
    for capture in facts.captures:
        if capture.about.backward is not Backward.SCRIPT:
            continue
        flow = Flow(capture.graph)
        for node in operations(capture):
            if node.title not in _FLAT - _NEVER_FLAT or node.place in known or _is_over_one(node):
                continue
            if not _is_flat(node, flow) or _chooses_at_times(node, flow):
                continue
            arrived, sent = flow.arrived[node.index], node.edges[0].gradient
            if not _has_another_way(node, FAINT * arrived.norm):
                known.add(node.place)
                yield _flat_finding([Death(capture, node, 0, arrived, sent, names_below(node))])


def _is_flat(node: Node, flow: Flow) -> bool:
    """Tell whether next to nothing of what arrived was sent on."""
    arrived = flow.arrived.get(node.index)
    sent = node.edges[0].gradient if node.edges else None
    if arrived is None or sent is None or not arrived.norm or not sent.count:
        return False
    return 0 <= sent.norm < FAINT * arrived.norm and sent.count > _FEW_SIZES


def _chooses_at_times(node: Node, flow: Flow) -> bool:
    """Tell a softmax that some turn of its line leaves no choice, by the other turns."""
    return node.title in {"softmax", "log_softmax"} and any(
        other.title == node.title and other.place == node.place and not _is_flat(other, flow)
        for other in flow.graph.nodes
    )


def _has_another_way(node: Node, least: float) -> bool:
    """Tell whether what a node takes gets its gradient from another one.

    An entropy `(p * p.log()).sum()` has no gradient by way of the logarithm, whatever p is.
    """
    taken = node.edges[0].target
    return taken is not None and any(
        edge.gradient is not None and edge.gradient.norm >= least
        for other in node.graph.nodes
        if other.index != node.index
        for edge in other.edges
        if edge.target is not None and edge.target.index == taken.index
    )


def _flat_finding(found: Sequence[Death]) -> Finding:
    title = found[0].node.title
    return _finding(
        found,
        f"{title} is saturated for every element: it is flat there, and next to no gradient "
        "passes it",
        "make its input smaller: normalise the data, start with smaller weights, or divide by a "
        "temperature",
    )


def zero_init_product(facts: Facts) -> Iterator[Finding]:
    """Find a product both of whose factors are zero, so that neither ever moves."""
    found = [one for one in deaths(facts) if one.node.title in _PRODUCTS]
    together = [one for one in found if _other_died(one, found)]
    if len({name for one in together for name in one.leaves}) > 1 and _has_steps(facts):
        yield _finding(
            together,
            f"both factors of {together[0].node.title} start at zero, so the gradient of each is "
            "zero and neither ever moves",
            "start one of the two at random values, the other at zero",
        )


def _has_steps(facts: Facts) -> bool:
    """Tell whether zero gradients were seen in more than the first step, or there is but one."""
    return facts.training is None or facts.training.seen != 1


def _other_died(one: Death, found: Sequence[Death]) -> bool:
    return any(
        other.node.index == one.node.index and other.slot != one.slot
        for other in found
        if other.capture is one.capture
    )


def _is_over_one(node: Node) -> bool:
    if node.title not in {"softmax", "log_softmax"} or not node.outputs or node.outputs[0] is None:
        return False
    shape, dim = node.outputs[0].shape, node.attributes.get("dim")
    if not isinstance(dim, int) or not shape:
        return False
    dim = dim - 2**64 if dim >= 2**63 else dim
    return shape[dim] == 1


RULES = (
    Rule("dead_relu", Severity.ERROR, "Every unit of a ReLU is off", dead_relu),
    Rule("saturated_activation", Severity.ERROR, "An activation in its flat part",
         saturated_activation, frozenset(["vanishing_sigmoid_chain"])),
    Rule("clamp_saturation", Severity.ERROR, "Every value lies beyond its clamp", clamp_saturation),
    Rule("zero_derivative_op", Severity.ERROR, "An operation whose derivative is zero everywhere",
         zero_derivative_op),
    Rule("softmax_singleton_dim", Severity.ERROR, "Softmax over a single element",
         softmax_singleton_dim),
    Rule("zero_init_product", Severity.ERROR, "A product whose factors all start at zero",
         zero_init_product),
)  # fmt: skip
