"""Backwards that stand in for the derivative of their forward, and are no mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from autograd_inspect.autograd.rerunning import Gradients, Rerun, alike, same_values
from autograd_inspect.model.gradcheck import Cause, InputCheck, Verdict


def unless_stand_in(
    checks: Sequence[InputCheck], rerun: Rerun, upstream: Sequence[torch.Tensor]
) -> list[InputCheck]:
    """Give checks; of a backward that is a stand-in, what would be wrong differs by design.

    One that goes past the steps of its forward for one input does as it likes with the others, too.
    """
    if not any(one.verdict.is_finding for one in checks):
        return list(checks)
    through = any(one.verdict is Verdict.STRAIGHT_THROUGH for one in checks)
    if not through and not _is_no_derivative(rerun, upstream):
        return list(checks)
    return [_by_design(one) if one.verdict.is_finding else one for one in checks]


def _by_design(check: InputCheck) -> InputCheck:
    return replace(check, verdict=Verdict.BY_DESIGN, cause=Cause.OTHER, other="")


def _is_no_derivative(rerun: Rerun, upstream: Sequence[torch.Tensor]) -> bool:
    """Tell a backward that cannot mean to derive the forward.

    It goes by the sign of what comes in, or by an argument that its forward does not look at.
    """
    plain = rerun.backward(upstream).gradients
    turned = rerun.backward([-one for one in upstream]).gradients
    opposite = [None if one is None else -one for one in turned]
    if not _are_alike(plain, opposite) and not _are_alike(plain, turned):
        return True
    base = rerun.forward(rerun.inputs)
    return any(
        all(map(same_values, other.forward(other.inputs), base))
        and not _are_alike(other.backward(upstream).gradients, plain)
        for other in rerun.elsewhere()
    )


def _are_alike(some: Gradients, others: Gradients) -> bool:
    return all(map(alike, some, others))
