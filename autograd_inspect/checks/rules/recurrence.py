"""Recurrences whose every step is cut off from those before."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.cutting import losses, trails
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.flow import CutKind


def detach_in_loop(facts: Facts) -> Iterator[Finding]:
    """Find a detach in every step of a recurrence, which leaves the last step alone to learn of.

    Truncated backpropagation detaches between two backward calls, and is no such thing.
    """
    told = {loss.trail.place for loss in losses(facts)}
    calls = max((one.about.number for one in facts.captures), default=0) or 1
    for trail in trails(facts):
        if trail.kind not in {CutKind.DETACH, CutKind.DATA} or trail.place in told:
            continue
        if trail.truncates and trail.reaches:
            yield Finding(
                message=f"{trail.op} cuts the state off in every step, so no gradient flows "
                "through more than one step of the recurrence",
                evidence=(
                    f"it ran {trail.times} times in about {calls} backward calls",
                    "each time what went in was computed from what it had put out before",
                ),
                repair="detach between two backward calls only, where a new stretch begins",
                place=trail.place,
                tensors=tuple(trail.leaves),
                marked=trail.name,
            )


RULES = (
    Rule(
        "detach_in_loop",
        Severity.WARNING,
        "The state is detached in every step of a recurrence",
        detach_in_loop,
    ),
)
