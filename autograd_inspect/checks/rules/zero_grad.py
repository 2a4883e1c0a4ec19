"""Gradients of earlier steps that nobody cleared."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.analyses import training as diagnoses
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity


def missing_zero_grad(facts: Facts) -> Iterator[Finding]:
    """Find steps that used gradients which a step had used already."""
    if facts.training is None:
        return
    for found in diagnoses.missing_zero_grad(facts.training):
        yield Finding(
            message=found.message,
            evidence=found.evidence,
            repair="call optimizer.zero_grad() once for each step, before backward",
            place=facts.training.reused_place,
        )


RULES = (
    Rule(
        "missing_zero_grad",
        Severity.WARNING,
        "Gradients of earlier steps are still there",
        missing_zero_grad,
    ),
)
