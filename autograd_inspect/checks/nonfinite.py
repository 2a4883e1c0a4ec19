"""Why a gradient or a loss is not finite: the mechanism behind the first such value of a run.

Two things tell. A value of the forward that was not finite, with the operation that made it; and a
node of the backward at which finite gradients became NaN or infinite. The second alone means
that only the derivative is infinite, or that a mask mended the forward and not the backward.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograd_inspect.analyses.nonfinite import first_nonfinite
from autograd_inspect.checks.around import (
    NORMS,
    comes_from,
    divides_by_constant,
    is_by_norm,
    mask_behind,
)
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import EventKind, Facts
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.observed import LostConstant, Origin
from autograd_inspect.model.places import Place
from autograd_inspect.model.probes import Operand
from autograd_inspect.model.rows import Node

#: Operations by the kind of mistake that makes them, or their derivatives, infinite.
_KINDS = {
    "sqrt_at_zero": " ".join(NORMS),
    "pow_at_zero": "pow rpow float_power ipow",
    "log_domain": "log log2 log10 log1p logit xlogy xlog1py logdet lgamma digamma "
    "binary_cross_entropy special_logit special_xlogy special_xlog1py",
    "acos_at_boundary": "acos arccos asin arcsin acosh arccosh",
    "atanh_at_boundary": "atanh arctanh",
    "softmax_all_masked": "softmax log_softmax logsumexp scaled_dot_product_attention "
    "multi_head_attention_forward gumbel_softmax",
    "std_of_one_element": "std var std_mean var_mean",
    "mean_over_empty": "mean cross_entropy nll_loss nll_loss2d nanmean mse_loss l1_loss "
    "smooth_l1_loss huber_loss kl_div binary_cross_entropy_with_logits",
    "degenerate_spectrum": "linalg_eigh eigh linalg_svd svd linalg_eig eig linalg_eigvals",
    "normalize_at_zero": "normalize cosine_similarity",
    "division_by_zero": "div truediv rtruediv true_divide divide reciprocal itruediv",
}
_SLUG_OF = {op: slug for slug, ops in _KINDS.items() for op in ops.split()}
_DIVISIONS = frozenset(_KINDS["division_by_zero"].split())
#: Kinds at which a lost epsilon would have helped.
_HELPED = {"division_by_zero", "sqrt_at_zero", "log_domain", "pow_at_zero", "atanh_at_boundary",
           "acos_at_boundary", "normalize_at_zero", "mean_over_empty"}  # fmt: skip
_ASKED = re.compile(r"\b(isnan|isfinite|isinf)\b")
#: Lines that ask only to complain.
_WARY = re.compile(r"\s*(assert|if|elif|while|print|raise)\b")
_COUNTED = re.compile(r"\.sum\(|\bsum\(|count|\blen\(|numel\(|\.size\(")
_ZERO = {"0", "-0"}
#: Kinds whose derivative is infinite at the edge of a domain.
_EDGES = {"acos_at_boundary", "atanh_at_boundary", "degenerate_spectrum"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why the first value that is not finite came up.

    op        the operation, as the program calls it
    place     its line, or that of the constant that was lost
    other     another line that matters, and what it did
    in_forward  the loss itself is not finite
    """

    slug: str
    capture: Capture
    op: str
    place: Place | None
    operands: tuple[Operand, ...] = ()
    formula: str = ""
    arrived: str = ""
    other: tuple[Place | None, str] = (None, "")
    in_forward: bool = False
    constant: LostConstant | None = None


def diagnosed(facts: Facts) -> Diagnosis | None:
    """Find the first capture with something that is not finite, and say why it is not."""
    for number, capture in enumerate(facts.captures):
        scaled = _is_scaled(facts, capture)
        lost = next((s for s in facts.observed.spoils if s.capture == number and s.birth < 0), None)
        if lost is not None and not (scaled and _overflowed(facts, lost.chain)):
            return _of_forward(facts, capture, lost.chain)
        first = first_nonfinite(capture.graph) if lost is None else None
        if first is not None and not (scaled and not _is_singular(first)):
            row = capture.graph.births.index(first.birth)
            chains = (
                s.chain for s in facts.observed.spoils if (s.capture, s.birth) == (number, row)
            )
            return _of_backward(facts, capture, first, next(chains, ()))
    return None


def affected(capture: Capture) -> tuple[str, ...]:
    """Name what has a gradient that is not finite."""
    return tuple(one.name for one in capture.gradients if one.present and (one.nan or one.inf))


def _is_scaled(facts: Facts, capture: Capture) -> bool:
    """Tell a backward of a scaled loss: what overflows there makes the scaler skip the step."""
    calls = [e for e in facts.events if e.kind in {EventKind.BACKWARD, EventKind.GRAD}]
    number = capture.about.number
    return 0 < number <= len(calls) and calls[number - 1].scaled


def _overflowed(facts: Facts, chain: Sequence[Origin]) -> bool:
    """Tell a value that became too large, which is no operation at its pole."""
    return chain[0].value != "nan" and not any(_slug_of_origin(facts, one) for one in chain)


def _is_singular(first: NonFinite) -> bool:
    """Tell a derivative that is infinite just there, whatever a loss is multiplied with."""
    slug = _SLUG_OF.get(first.node.title, "")
    return slug in _EDGES or (bool(slug) and any(one.value in _ZERO for one in first.operands))


def _of_forward(facts: Facts, capture: Capture, chain: Sequence[Origin]) -> Diagnosis:
    """Explain a loss that is not finite by the operations that made it so."""
    for at, origin in enumerate(chain):
        slug = _slug_of_origin(facts, origin)
        if bare(origin.op) in _DIVISIONS and slug and is_by_norm(capture, origin.place):
            slug = "normalize_at_zero"
        if slug:
            behind = chain[at + 1] if at + 1 < len(chain) else None
            other = (
                (behind.place, f"{behind.op} gave {behind.value} here") if behind else (None, "")
            )
            found = Diagnosis(slug, capture, origin.op, origin.place, origin.given, other=other,
                              in_forward=True)  # fmt: skip
            return _with_constant(facts, found, origin.given)
    first = chain[-1]
    found = Diagnosis("nonfinite_value", capture, first.op, first.place, first.given,
                      in_forward=True)  # fmt: skip
    return _with_constant(facts, found, first.given)


def _of_backward(
    facts: Facts, capture: Capture, first: NonFinite, chain: Sequence[Origin]
) -> Diagnosis:
    """Explain a gradient that is not finite although the loss is."""
    node = first.node
    slug = _SLUG_OF.get(node.title, "nonfinite_value")
    if slug == "std_of_one_element":
        slug = "sqrt_at_zero"  # with one element alone the forward would not be finite
    found = Diagnosis(
        slug, capture, node.title, node.place, first.operands, first.formula, first.birth.arrived
    )
    divides = slug == "division_by_zero"
    forward = bool(chain) or first.source is not None or divides or _was_at_pole(facts, node)
    if forward and chain:
        origin = chain[-1]
        at = next((one for one in chain if _slug_of_origin(facts, one)), origin)
        own = slug if _SLUG_OF.get(bare(at.op)) == _SLUG_OF.get(node.title) else "nonfinite_value"
        found = _replaced(found, _slug_of_origin(facts, at) or own, at)
    mask = mask_behind(node) if first.birth.arrived in {*_ZERO, ""} else None
    if mask is not None:
        what, masking = mask
        other = (masking.place, f"{masking.title} leaves it out here, in the forward only")
        masked = _slug_behind_mask(facts, found, what, masking, forward=forward)
        if masked:
            return _with_constant(facts, _renamed(found, masked, other), first.operands)
    return _with_constant(facts, found, first.operands)


def _replaced(found: Diagnosis, slug: str, origin: Origin) -> Diagnosis:
    return Diagnosis(slug, found.capture, origin.op, origin.place, origin.given, found.formula,
                     found.arrived)  # fmt: skip


def _renamed(found: Diagnosis, slug: str, other: tuple[Place | None, str]) -> Diagnosis:
    return Diagnosis(slug, found.capture, found.op, found.place, found.operands, found.formula,
                     found.arrived, other)  # fmt: skip


def _slug_behind_mask(
    facts: Facts, found: Diagnosis, what: str, masking: Node, *, forward: bool
) -> str:
    """Say what it is where a mask leaves the bad element out; empty where the mask is no part."""
    divides = found.slug in {"division_by_zero", "mean_over_empty"}
    if what == "nan_to_num":
        return "sanitised_forward_nan_backward"
    asks = forward and what != "product" and _asks_for_nan(facts, masking.place)
    if what == "where":
        return "sanitised_forward_nan_backward" if asks else "where_masks_bad_branch"
    if divides and not asks:
        return "masked_division"
    is_named = found.slug != "nonfinite_value" and not asks
    if forward and (what == "masked_fill" or (what == "selection" and not is_named)):
        return "sanitised_forward_nan_backward"
    return ""


def _was_at_pole(facts: Facts, node: Node) -> bool:
    """Tell whether the operation of a node gave a value that is not finite itself."""
    return any(
        one.place == node.place and _SLUG_OF.get(bare(one.op)) == _SLUG_OF.get(node.title, "-")
        for one in facts.observed.poles
    )


def _asks_for_nan(facts: Facts, place: Place | None) -> bool:
    """Tell whether the function around a line asks where values are not finite."""
    sources = Sources(facts.start)
    function = sources.function(place) if place is not None else None
    lines = sources.lines(place.file) if place is not None else []
    if function is not None:
        lines = lines[function.lineno - 1 : function.end_lineno]
    elif place is not None:
        lines = lines[max(place.line - 4, 0) : place.line]
    return any(_ASKED.search(line) and not _WARY.match(line) for line in lines)


def _slug_of_origin(facts: Facts, origin: Origin) -> str:
    """Say what kind of mistake an operation is that gave a value which is not finite."""
    op = bare(origin.op)
    slug = _SLUG_OF.get(op, "")
    if op == "rsqrt":
        return "division_by_zero"
    if slug == "division_by_zero":
        return _kind_of_division(facts, origin)
    if slug == "mean_over_empty":
        empty = any(one.remark == "empty" for one in origin.given)
        judged = op in {"cross_entropy", "nll_loss", "nll_loss2d"} and origin.value == "nan"
        finite = not any(_is_odd(one) for one in origin.given)
        return slug if empty or (judged and finite) else ""
    if slug == "softmax_all_masked":
        return slug if origin.value == "nan" else ""
    if slug == "std_of_one_element":
        return slug if origin.value == "nan" and not any(map(_is_odd, origin.given)) else ""
    return "" if slug == "degenerate_spectrum" else slug


def _kind_of_division(facts: Facts, origin: Origin) -> str:
    """Tell a mean by hand, and a vector divided by its own norm, from any other division."""
    line = Sources(facts.start).line(origin.place)
    count = _COUNTED.search(line) is not None or divides_by_constant(facts.captures, origin.place)
    zeros = [one for one in origin.given if one.value in _ZERO or _is_all_zero(one)]
    if len(origin.given) > 1 and origin.given[1].value and origin.given[1] not in zeros:
        return ""  # an overflow
    if len(zeros) > 1 and count:
        return "mean_over_empty"
    if "norm" in line or "sqrt" in line:
        return "normalize_at_zero"
    return "division_by_zero"


def _is_all_zero(operand: Operand) -> bool:
    found = re.match(r"of ([\d,]+) elements ([\d,]+) zero", operand.remark)
    return found is not None and found[1] == found[2]


def _is_odd(operand: Operand) -> bool:
    return "NaN" in operand.remark or "infinite" in operand.remark


def _with_constant(facts: Facts, found: Diagnosis, operands: Sequence[Operand]) -> Diagnosis:
    """Blame the epsilon that the dtype could not hold, where it stood in the same function."""
    if found.place is None:
        return found
    for one in facts.observed.constants:
        at = one.stack[0] if one.stack else None
        if at is not None and _would_help(found, one.op, at):
            other = (
                (found.place, f"{found.op} needed it here") if at != found.place else found.other
            )
            return Diagnosis("eps_underflow_low_precision", found.capture, found.op, at,
                             found.operands or tuple(operands), found.formula, found.arrived,
                             other, found.in_forward, one)  # fmt: skip
    return found


def _would_help(found: Diagnosis, op: str, at: Place) -> bool:
    """Tell whether what failed was given a constant itself, or what was made with it."""
    place = found.place
    if place is None or found.slug not in _HELPED:
        return (op, at) == (found.op, place)
    same = (at.file, at.function) == (place.file, place.function)
    return same or any(
        node.place == place and comes_from(node, at) for node in found.capture.graph.nodes
    )


def bare(op: str) -> str:
    """Strip the owner and the underscores of a function: `truediv` for `Tensor.__truediv__`."""
    owner, _, name = op.rpartition(".")
    name = name.strip("_")
    return f"linalg_{name}" if owner == "torch.linalg" else name
