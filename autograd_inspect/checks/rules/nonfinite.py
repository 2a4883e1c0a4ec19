"""Losses and gradients that are NaN or infinite, by the mechanism that made them so."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from autograd_inspect.checks.around import divides_by_norm
from autograd_inspect.checks.dying import Flow, operations
from autograd_inspect.checks.nonfinite import Diagnosis, affected, diagnosed
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.probes import Operand

#: By slug: title of the page, what happens, and the repair. {op} is the operation.
_TEXTS = {
    "where_masks_bad_branch": (
        "The branch that where() does not select has a derivative that is not finite",
        (
            "{op} is not finite in the branch that where() leaves out: its zero gradient times "
            "infinity is NaN"
        ),
        "give the operation a safe argument: where() around its input as well as around its result",
    ),
    "masked_division": (
        "The division happens before the mask",
        (
            "{op} divides by zero where a mask leaves the result out afterwards: the zero gradient "
            "times infinity is NaN"
        ),
        "select or replace the divisor before dividing: x / where(mask, d, 1)",
    ),
    "sqrt_at_zero": (
        "A square root or norm at exactly zero",
        "{op} is taken at exactly zero, where its derivative is infinite",
        "add a small number under the root: (x + eps).sqrt(), or clamp(min=eps)",
    ),
    "pow_at_zero": (
        "A fractional or learned power at zero",
        "{op} is taken where its base is zero or negative, and its derivative infinite or NaN",
        "keep the base positive: x.clamp(min=eps) ** p",
    ),
    "log_domain": (
        "A logarithm outside its domain",
        "{op} is taken of a value outside its domain",
        "keep its argument positive: clamp(min=eps), log1p, logsigmoid or log_softmax",
    ),
    "acos_at_boundary": (
        "acos or asin at the edge of its domain",
        "{op} is taken at or beyond the edge of its domain, where its derivative is infinite",
        "clamp to less than the edge, clamp(-1 + eps, 1 - eps), or use atan2",
    ),
    "atanh_at_boundary": (
        "atanh at the edge of its domain",
        "{op} is taken at or beyond 1 or -1, where it is infinite",
        "clamp its argument to less than the edge: clamp(-1 + eps, 1 - eps)",
    ),
    "softmax_all_masked": (
        "A softmax row that is masked entirely",
        "{op} gets a row that is -inf everywhere, and makes NaN of it",
        "leave rows without any valid entry out, or mask with a large finite number",
    ),
    "std_of_one_element": (
        "A standard deviation or variance of one element",
        "{op} runs over a single element, and divides by n - 1 = 0",
        "use correction=0, or skip it for a single element",
    ),
    "mean_over_empty": (
        "A mean over nothing",
        "{op} averages over no element at all: 0 / 0",
        "divide the sum by the count clamped to at least 1, or skip the empty part",
    ),
    "degenerate_spectrum": (
        "eigh or svd with repeated values",
        "{op} has repeated eigen- or singular values, by whose differences its backward divides",
        "avoid the decomposition (Cholesky, Newton-Schulz), or make the values distinct first",
    ),
    "eps_underflow_low_precision": (
        "An epsilon that the dtype cannot represent",
        "{constant:.12g} is {rounded:g} in {dtype}, so it does not keep {op} from being infinite",
        (
            "use a number that the dtype can hold, such as torch.finfo(x.dtype).eps, or compute in "
            "float32"
        ),
    ),
    "sanitised_forward_nan_backward": (
        "nan_to_num or a mask mends the forward only",
        "{op} is not finite and is replaced afterwards, which mends the loss and not the gradient",
        "give the operation an argument for which it is finite, instead of replacing its result",
    ),
    "normalize_at_zero": (
        "Normalising a zero vector",
        "{op} divides a vector by its own norm, which is zero",
        "leave zero vectors out, or use a larger eps",
    ),
    "division_by_zero": (
        "A division by zero",
        "{op} divides by exactly zero",
        "keep the divisor away from zero: clamp(min=eps), or add eps to it",
    ),
    "nonfinite_value": (
        "A value that is NaN or infinite",
        "{op} gives a value that is not finite",
        "look at its operands: an overflow, or a learning rate that is too large",
    ),
}


def _find(slug: str, facts: Facts) -> Iterator[Finding]:
    found = diagnosed(facts)
    if found is not None and found.slug == slug:
        yield _told(found)


#: By how much a division has to enlarge a gradient, and how large some gradient has to get.
_ENLARGED, _LARGE = 1e6, 1e4


def normalize_at_zero(facts: Facts) -> Iterator[Finding]:
    """Find a zero vector divided by its own norm, or by the small eps that stands for it."""
    yield from _find("normalize_at_zero", facts)
    for capture in facts.captures:
        if not any(
            (row.present and row.max > _LARGE) or row.min < -_LARGE for row in capture.gradients
        ):
            continue
        flow = Flow(capture.graph)
        for node in operations(capture):
            arrived = flow.arrived.get(node.index)
            sent = node.edges[0].gradient if node.edges else None
            if arrived is None or sent is None or not arrived.max or not sent.is_finite:
                continue
            by_norm = divides_by_norm(node) or node.title == "cosine_similarity"
            if by_norm and sent.max > _ENLARGED * arrived.max:
                yield Finding(
                    message=f"{node.title} divides a vector by its own norm, which is zero but for "
                    "an eps: its gradient becomes enormous",
                    evidence=(
                        (
                            f"a gradient of at most {arrived.max:.3g} arrives, one of "
                            f"{sent.max:.3g} "
                            "goes on"
                        ),
                    ),
                    repair="leave zero vectors out, or use a larger eps",
                    place=node.place,
                    related=related((capture.about.place, "backward was called here")),
                )
                return


def _told(found: Diagnosis) -> Finding:
    _, message, repair = _TEXTS[found.slug]
    about = {"constant": 0.0, "rounded": 0.0, "dtype": ""}
    if found.constant is not None:
        one = found.constant
        about = {"constant": one.number, "rounded": one.rounded, "dtype": one.dtype}
    place, role = found.other
    return Finding(
        message=message.format(op=found.op, **about),
        evidence=tuple(_evidence(found)),
        repair=repair,
        place=found.place,
        tensors=affected(found.capture),
        related=related((place, role), (found.capture.about.place, "backward was called here")),
    )


def _evidence(found: Diagnosis) -> Iterator[str]:
    if found.in_forward:
        yield "the loss is not finite already before backward"
    elif found.arrived:
        yield f"the gradient that arrives is {found.arrived}, the one sent on is not finite"
    for operand in found.operands[:3]:
        told = _operand(operand)
        if told:
            yield told
    if found.formula:
        yield f"backward computes {found.formula}"
    names = affected(found.capture)
    if names:
        yield f"{len(names)} gradients are NaN or infinite"


def _operand(operand: Operand) -> str:
    where = "" if not operand.index else f"[{', '.join(map(str, operand.index))}]"
    value = f"{operand.name}{where} is {operand.value}" if operand.value else ""
    remark = f"{operand.name}: {operand.remark}" if operand.remark else ""
    return ", ".join(part for part in (value, remark) if part)


#: What else is wrong with gradients once one of them is not finite.
_CONSEQUENCES = frozenset(
    [
        "gradient_cancels",
        "saturated_activation",
        "dead_relu",
        "clamp_saturation",
        "zero_derivative_op",
        "zero_init_product",
        "data_mutation_hidden",
    ]
)

RULES = tuple(
    Rule(
        slug,
        Severity.ERROR,
        title,
        normalize_at_zero if slug == "normalize_at_zero" else partial(_find, slug),
        _CONSEQUENCES,
    )
    for slug, (title, _, _) in _TEXTS.items()
)
