"""Freezing that reached everything, or did not hold."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from autograd_inspect.checks.cutting import frozen_altogether, is_graphless_run, losses
from autograd_inspect.checks.reading import named, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.written import assignments
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.observed import Misnomer
from autograd_inspect.model.places import Place

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


def unintended_trainable(facts: Facts) -> Iterator[Finding]:
    """Find what was frozen in name only: a misspelt attribute, one of a module, a gradient left."""
    yield from _moved_though_frozen(facts)
    for one in facts.observed.misnomers:
        where = "a module, which knows no such attribute" if one.on_module else "a parameter"
        right = (
            f"call {one.holder}.requires_grad_(False)"
            if one.on_module
            else "set requires_grad, or call requires_grad_(False)"
        )
        yield Finding(
            message=f"{one.attribute} = False was set on {where}: {one.holder} goes on learning",
            evidence=(f"{len(one.parameters)} of its parameters require grad",),
            repair=right,
            place=_misnamed_at(facts, one),
            tensors=one.parameters,
        )


def _misnamed_at(facts: Facts, misnomer: Misnomer) -> Place | None:
    """Find the line that set the attribute, where lines that did freeze something are others."""
    effective = {place for one in facts.learners for place in (one.frozen, one.thawed)}
    lines = {(place.file, place.line) for place in effective if place is not None}
    found = [
        (place, ast.unparse(statement))
        for place, statement in assignments(facts, misnomer.attribute)
        if (place.file, place.line) not in lines
    ]
    last = misnomer.holder.rpartition(".")[2]
    own = [place for place, text in found if f"{last}.{misnomer.attribute} = " in text]
    return next(iter(own or [place for place, _ in found]), None)


def _moved_though_frozen(facts: Facts) -> Iterator[Finding]:
    """Find a step that moves what was frozen by what is left in `.grad` or in its own state."""
    frozen = {one.name: one.frozen for one in facts.learners if one.frozen is not None}
    for drift in facts.observed.drifts:
        lines = Counter(frozen[name] for name in drift.parameters if name in frozen)
        place = lines.most_common(1)[0][0] if lines else drift.step
        yield Finding(
            message=f"{named(drift.parameters)} was frozen after it had got gradients, and "
            f"{drift.optimizer} goes on moving it",
            evidence=(f"its .grad is not None, so the step at {drift.step} does not skip it",),
            repair="set its .grad to None when freezing it (zero_grad(set_to_none=True)), or take "
            "it out of the optimizer",
            place=place,
            tensors=drift.parameters,
            related=related((drift.step, "the step moves it here")),
        )


RULES = (
    Rule(
        "all_params_frozen",
        Severity.ERROR,
        "Everything is frozen, the new part included",
        all_params_frozen,
    ),
    Rule(
        "unintended_trainable",
        Severity.WARNING,
        "Something meant frozen is trained",
        unintended_trainable,
    ),
)
