"""Values that lost their graph on the way from what should learn to the loss."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from autograd_inspect.checks.cutting import (
    STOPPING,
    TO_NUMBER,
    TO_NUMPY,
    UPDATING,
    Loss,
    Trail,
    is_number,
    losses,
)
from autograd_inspect.checks.drawing import drawn
from autograd_inspect.checks.reading import named, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.checks.underived import underived
from autograd_inspect.checks.written import rebound_name
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.places import Place

_INDEX_VALUED = {
    *("argmax", "argmin", "argsort", "argwhere", "topk", "sort", "msort", "max", "min", "median"),
    *("mode", "kthvalue", "cummax", "cummin", "nanmedian", "aminmax", "max_pool2d_with_indices"),
}
_COMPARISONS = {
    *("gt", "lt", "ge", "le", "eq", "ne", "greater", "less", "greater_equal", "less_equal"),
    *("not_equal", "isclose", "isin", "logical_and", "logical_or", "logical_not", "logical_xor"),
    *("equal", "allclose", "isfinite", "isnan", "isinf", "signbit", "any", "all"),
}
_DRAWING = {"multinomial", "bernoulli", "normal", "poisson", "binomial"}

#: Functions that make a tensor of numbers, and read those that they are given.
_CONSTRUCTORS = {"Tensor", "FloatTensor", "DoubleTensor", "HalfTensor", "LongTensor", "tensor"}

_BY_KIND = {
    CutKind.DETACH: "detach_before_use",
    CutKind.DATA: "detach_before_use",
    CutKind.NO_GRAD: "no_grad_region",
    CutKind.INFERENCE: "no_grad_region",
    CutKind.NUMBER: "item_cuts_graph",
    CutKind.NUMPY: "numpy_roundtrip",
    CutKind.NEW_TENSOR: "rewrap_torch_tensor",
    CutKind.FACTORY: "factory_fn_reads_values",
    CutKind.SAMPLE: "nonreparam_sample",
    CutKind.COPY: "copy_cuts_graph",
    CutKind.PARAMETER: "parameter_made_in_forward",
    CutKind.CUSTOM: "nondiff_op",
    CutKind.OUT: "out_argument",
    CutKind.NO_CREATE_GRAPH: "missing_create_graph",
    CutKind.CHECKPOINT: "reentrant_checkpoint_no_grad_input",
    CutKind.NOT_DIFFERENTIABLE: "nondiff_op",
}

_REPAIRS = {
    "nondiff_argmax": "use a soft choice (softmax weights, gumbel_softmax) or a straight-through "
    "estimator",
    "nondiff_comparison": "use a soft threshold, such as sigmoid((x - threshold) / temperature), "
    "or a straight-through estimator",
    "nondiff_integer_op": "compute with the values themselves, by a soft assignment or by "
    "interpolation between neighbours",
    "nondiff_op": "use an operation that has a derivative, such as a soft histogram of kernels",
    "rewrap_torch_tensor": "put tensors together with torch.stack or torch.cat, which keep the "
    "graph, or use the tensor itself",
    "numpy_roundtrip": "compute this with functions of torch",
    "item_cuts_graph": "keep the tensor; take .item() of a loss only to print it",
    "factory_fn_reads_values": "build it from a constant grid: "
    "low + (high - low) * torch.linspace(0, 1, n)",
    "no_grad_region": "take this computation out of no_grad, or freeze by requires_grad_(False) "
    "what should not learn",
    "grad_mode_left_disabled": "use `with torch.no_grad():`, which switches them back, or call "
    "torch.set_grad_enabled(True)",
    "detach_before_use": "remove the detach, or detach only where this value is a target",
    "nonreparam_sample": "use rsample(), or a loss of log_prob (REINFORCE)",
    "copy_cuts_graph": "call the module with the new values: "
    "torch.func.functional_call(module, values, inputs)",
    "reentrant_checkpoint_no_grad_input": "pass use_reentrant=False to checkpoint",
    "parameter_made_in_forward": "make the Parameter once, in __init__, and compute with it here",
    "missing_create_graph": "pass create_graph=True to torch.autograd.grad",
}


def found(facts: Facts, slug: str) -> Iterator[Finding]:
    """Find the cuts of one kind that cost somebody the gradient."""
    sources = Sources(facts.start)
    for loss in losses(facts):
        if not loss.trail.raised and _slug_of(loss.trail, sources) == slug:
            yield _finding(loss, slug, facts, sources)
    if slug == "nonreparam_sample":
        yield from drawn(facts)
    if slug == "nondiff_op":
        yield from underived(facts)


def _slug_of(trail: Trail, sources: Sources) -> str:
    """Say what kind of mistake a cut is."""
    if trail.kind in UPDATING and rebound_name(sources, trail.place):
        return "leaf_rebound"
    match trail.kind:
        case CutKind.NO_GRAD | CutKind.INFERENCE:
            left_on = trail.region is not None and _stays_off(sources, trail.region)
            return "grad_mode_left_disabled" if left_on else "no_grad_region"
        case CutKind.NUMBER:
            return _numbered(trail, sources)
        case CutKind.INTEGER:
            return _integer(trail)
        case CutKind.DETACH | CutKind.DATA:
            return _detached(trail, sources)
    drawn_here = trail.name in _DRAWING and trail.kind is CutKind.NOT_DIFFERENTIABLE
    return "nonreparam_sample" if drawn_here else _BY_KIND[trail.kind]


def _numbered(trail: Trail, sources: Sources) -> str:
    """Tell numbers that a constructor of tensors read from those that the program asked for."""
    words = _words(sources, trail.place)
    asked = not words.isdisjoint(("item", "tolist", "float"))
    is_read = not asked and not words.isdisjoint(_CONSTRUCTORS)
    return "rewrap_torch_tensor" if is_read else "item_cuts_graph"


def _integer(trail: Trail) -> str:
    name = trail.name.strip("_")
    if name in _DRAWING:
        return "nonreparam_sample"
    if name in _COMPARISONS:
        return "nondiff_comparison"
    return "nondiff_argmax" if name in _INDEX_VALUED else "nondiff_integer_op"


def _detached(trail: Trail, sources: Sources) -> str:
    """Tell a detach that only makes way for numpy or a number from one that is meant as such."""
    if trail.enters:
        return "detach_before_use"
    words = _words(sources, trail.place)
    if trail.taken_by(*TO_NUMPY) or "numpy" in words:
        return "numpy_roundtrip"
    if trail.taken_by(*TO_NUMBER) or not words.isdisjoint(("item", "tolist")):
        return "item_cuts_graph"
    return "detach_before_use"


def _words(sources: Sources, place: Place | None) -> set[str]:
    """Give the names and attributes in the statement at a line."""
    statement = sources.statement(place) if place is not None else None
    if statement is None or hasattr(statement, "body"):
        return set()
    nodes = list(ast.walk(statement))
    return {one.attr for one in nodes if isinstance(one, ast.Attribute)} | {
        one.id for one in nodes if isinstance(one, ast.Name)
    }


def _stays_off(sources: Sources, region: Place) -> bool:
    """Tell a call that switches gradients off for good from a `with` or a decorator."""
    return isinstance(sources.statement(region), ast.Expr | ast.Assign)


def _finding(loss: Loss, slug: str, facts: Facts, sources: Sources) -> Finding:
    trail = loss.trail
    place = trail.region or trail.place
    uses = [use for use in trail.uses.values() if use.place is not None][:2]
    return Finding(
        message=_message(trail, loss.lost),
        evidence=tuple(_evidence(loss, facts)),
        repair=_REPAIRS.get(slug, ""),
        place=place,
        tensors=loss.lost or tuple(trail.leaves),
        related=related(
            *([(trail.place, f"{trail.op} ran here")] if place is not trail.place else []),
            *((use.place, f"what came out went into {use.op} here") for use in uses),
        ),
        marked=_marked(sources.line(place), trail) if place is trail.place else "",
        severity=Severity.INFO if _may_be_meant(loss) else None,
        ends_run=trail.raised or (facts.failure is not None and _is_of_this(facts, trail)),
    )


def _may_be_meant(loss: Loss) -> bool:
    """Tell a weight of the loss from what should carry the gradient.

    A baseline is computed by a head beside what learns; its value only scales the loss.
    """
    trail = loss.trail
    stopped = trail.kind in STOPPING
    return stopped and trail.is_a_weight and len(loss.lost) < len(trail.leaves)


def _is_of_this(facts: Facts, trail: Trail) -> bool:
    return trail.ends or (facts.failure is not None and is_number(facts.failure.message))


def _message(trail: Trail, lost: tuple[str, ...]) -> str:
    if trail.raised:
        return f"{trail.op} was given a tensor that requires grad, and cannot keep its graph"
    consequence = f"so no gradient reaches {named(lost)}" if lost else "so the loss has no graph"
    return f"{trail.op} {trail.kind.text}, {consequence}"


def _evidence(loss: Loss, facts: Facts) -> Iterator[str]:
    trail = loss.trail
    times = "once" if trail.times == 1 else f"{trail.times} times"
    went = ", and what came out went into the loss" if trail.reaches else ""
    yield f"{trail.op} ran {times} at {trail.place}{went}"
    calls = len([one for one in facts.captures if one.about.call == "backward"])
    if loss.lost and calls:
        yield f"{named(loss.lost)}: .grad is None after every backward call that was looked at"


def _marked(line: str, trail: Trail) -> str:
    """Find the part of a line that did it."""
    return trail.name if trail.name in line else ""


def _rule(slug: str, title: str, severity: Severity = Severity.ERROR) -> Rule:
    find: Callable[[Facts], Iterable[Finding]] = partial(found, slug=slug)
    return Rule(slug, severity, title, find)


RULES = (
    _rule("nondiff_argmax", "argmax or another index stands between parameter and loss"),
    _rule("nondiff_comparison", "A comparison stands between parameter and loss"),
    _rule("nondiff_integer_op", "An integer result stands between parameter and loss"),
    _rule("nondiff_op", "An operation without derivative stands between parameter and loss"),
    _rule("rewrap_torch_tensor", "torch.tensor copies values out of the graph"),
    _rule(
        "numpy_roundtrip",
        "A value goes through numpy or Python numbers and comes back without its graph",
    ),
    _rule("item_cuts_graph", "A tensor became a Python number on its way to the loss"),
    _rule("factory_fn_reads_values", "A factory function read a tensor as a number"),
    _rule("no_grad_region", "What should learn is computed under no_grad"),
    _rule("grad_mode_left_disabled", "Gradients were switched off and never on again"),
    _rule("detach_before_use", "A detach on the way that should carry the gradient"),
    _rule("nonreparam_sample", "sample() where rsample() is needed"),
    _rule("copy_cuts_graph", "Values were copied into parameters without their graph"),
    _rule(
        "reentrant_checkpoint_no_grad_input",
        "A reentrant checkpoint without an input that requires grad",
    ),
)
