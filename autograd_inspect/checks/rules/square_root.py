"""The square root at exactly zero."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.analyses.nonfinite import first_nonfinite
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity

_ROOTS = ("Sqrt", "LinalgVectorNorm", "Norm")


def sqrt_at_zero(facts: Facts) -> Iterator[Finding]:
    """Find a square root or norm whose result was zero where its gradient became infinite."""
    for capture in facts.captures:
        first = first_nonfinite(capture.graph)
        if first is None or first.node.op.partition("Backward")[0] not in _ROOTS:
            continue
        zero = [one for one in first.operands if one.value in {"0", "-0"}]
        if zero:
            yield Finding(
                message=f"{first.node.title} is taken at exactly zero, where its derivative is "
                "infinite",
                evidence=(f"{zero[0].name} is {zero[0].value}; backward computes {first.formula}",),
                repair="add a small number under the root: (x + eps).sqrt(), or clamp(min=eps)",
                place=first.node.place,
            )


RULES = (
    Rule(
        "sqrt_at_zero",
        Severity.ERROR,
        "A square root or norm at exactly zero",
        sqrt_at_zero,
    ),
)
