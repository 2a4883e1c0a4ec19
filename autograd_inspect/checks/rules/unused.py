"""Parameters that the loss does not depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autograd_inspect.checks.cutting import explained, lost
from autograd_inspect.checks.reading import named, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts, Learner
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

#: What DistributedDataParallel and autograd.grad say of it.
_MISSED = "finished reduction in the prior iteration", "not have been used in the graph"
_NUMBER = re.compile(r"(?<=[.\[])\d+(?=[.\]]|$)")


def unused_parameter(facts: Facts) -> Iterator[Finding]:
    """Find parameters that no operation took on the way to any loss."""
    failed = facts.failure is not None and any(one in facts.failure.message for one in _MISSED)
    told = explained(facts)
    unused = [one for one in lost(facts) if one.name not in told]
    held = [one for one in facts.learners if one.is_trained]
    if held and not any(one.reached or one.arrived for one in held):
        return  # that is about the optimizer
    if not failed and facts.observed.may_be_unused:
        return
    if not failed:
        unused = [one for one in unused if not _is_routed(one, facts)]
    # What was computed with and then dropped says where the way ends; the rest follows from it.
    dropped = [one for one in unused if one.used is not None]
    for place, group in _by_line(dropped or unused).items():
        names = tuple(one.name for one in group)
        how = (
            f"what is computed with {named(names)} here goes into no loss"
            if dropped
            else f"nothing is computed with {named(names)}, so no loss depends on it"
        )
        yield Finding(
            message=how,
            evidence=("no backward call led to it, and no cut was seen that lost it",),
            repair="use the result in the loss, or leave the layer out; under "
            "DistributedDataParallel find_unused_parameters=True allows for it",
            place=place,
            tensors=tuple(one.name for one in unused),
            related=related((group[0].made if dropped else None, f"{names[0]} was made here")),
            ends_run=failed,
            severity=Severity.ERROR if failed else None,
        )
        return


def _by_line(unused: list[Learner]) -> dict[Place | None, list[Learner]]:
    """Group by line, that of the last use first."""
    found: dict[Place | None, list[Learner]] = {}
    for one in reversed(unused):
        found.setdefault(one.used or one.made, []).append(one)
    return found


def _is_routed(one: Learner, facts: Facts) -> bool:
    """Tell one of several alike of which the data chooses, such as an expert."""
    shape = _NUMBER.sub("*", one.name)
    alike = [other for other in facts.learners if _NUMBER.sub("*", other.name) == shape]
    calls = {other.reached for other in alike if other.reached}
    most = max((other.reached for other in facts.learners), default=0)
    return any(0 < count < most for count in calls)


RULES = (
    Rule(
        "unused_parameter",
        Severity.WARNING,
        "A parameter that the loss does not depend on",
        unused_parameter,
    ),
)
