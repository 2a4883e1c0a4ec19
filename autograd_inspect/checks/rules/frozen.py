"""Freezing that reached everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from autograd_inspect.checks.cutting import frozen_altogether, is_graphless_run, losses, named
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity

_NOTHING_GIVEN = "optimizer got an empty parameter list"


def all_params_frozen(facts: Facts) -> Iterator[Finding]:
    """Find the line that froze the last parameter of a model that is to learn."""
    empty = facts.failure is not None and _NOTHING_GIVEN in facts.failure.message
    if not (empty or is_graphless_run(facts)) or losses(facts):
        return
    frozen = [one for one in facts.learners if one.frozen is not None and not one.requires_grad]
    if not frozen:
        return
    # The optimizer's own, where it was given some: other models may be frozen for good.
    given = frozen_altogether(facts) or [one for one in frozen if one.holders] or frozen
    line = Counter(one.frozen for one in given).most_common(1)[0][0]
    last = max((one for one in given if one.frozen == line), key=lambda one: one.frozen_at)
    names = tuple(one.name for one in given if one.frozen == line)
    yield Finding(
        message=f"this freezes {named(names)}, and nothing is left that requires grad, so the "
        "loss has no graph",
        evidence=(
            f"requires_grad is False for all {len(frozen)} parameters that were frozen",
            *([f"the optimizer was given {len(given)} of them"] if given[0].holders else []),
        ),
        repair="freeze only the part that should not learn, or set requires_grad_(True) on the "
        "rest afterwards",
        place=line,
        tensors=names,
        related=related((last.made, f"{last.name} was made here")),
        ends_run=facts.failure is not None,
    )


RULES = (
    Rule(
        "all_params_frozen",
        Severity.ERROR,
        "Everything is frozen, the new part included",
        all_params_frozen,
    ),
)
