"""Optimizers that hold other parameters than those the program trains."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.cutting import losses
from autograd_inspect.checks.reading import named, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts, Holder, Learner
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

_REPAIR = (
    "make the optimizer after the model is complete, or give it the new parameters with "
    "add_param_group"
)


def optimizer_stale_params(facts: Facts) -> Iterator[Finding]:
    """Find parameters that came after their optimizer, or that it was never given."""
    holders = [holder for one in facts.learners for holder in one.holders if holder.stepped]
    if not holders:
        return
    last = max(holders, key=lambda one: one.at)
    unheld = [one for one in facts.learners if _learns(one) and not one.holders]
    late = [one for one in unheld if max(one.made_at, one.thawed_at) > last.at]
    by_line: dict[Place, list[Learner]] = {}
    for one in late:
        line = one.thawed if one.thawed_at > one.made_at else one.built or one.made
        if line is not None and not _is_made_again(one, late):
            by_line.setdefault(line, []).append(one)
    for line, found in by_line.items():
        yield _came_late(line, found, last)
    if not late:
        yield from _never_given(facts, unheld, holders)


def _is_made_again(one: Learner, late: list[Learner]) -> bool:
    """Tell what is new in every step, which is another mistake, or a copy to adapt.

    A model that is made anew for more than a step, as in each fold of a cross-validation, is none.
    """
    alike = [other for other in late if other.made == one.made]
    again = len({other.made_after for other in alike}) > 1
    return again and (one.is_copy or all(other.reached < 2 for other in alike))


def _came_late(line: Place, found: list[Learner], holder: Holder) -> Finding:
    names = tuple(dict.fromkeys(one.name for one in found))
    thawed = found[0].thawed == line
    what = "begins to require grad here" if thawed else "is made here"
    return Finding(
        message=f"{named(names)} {what}, after {holder.name} was given its parameters, so no step "
        "moves it",
        evidence=(
            f"{max(one.reached for one in found)} backward calls led to it",
            "no optimizer holds it",
        ),
        repair=_REPAIR,
        place=line,
        tensors=names,
        related=related((holder.place, f"{holder.name} was given its parameters here")),
    )


def _never_given(facts: Facts, unheld: list[Learner], holders: list[Holder]) -> Iterator[Finding]:
    """Find optimizers none of whose parameters is in any graph, and halves of layers left out."""
    held = [one for one in facts.learners if one.is_trained]
    learning = [one for one in unheld if one.is_registered]
    if learning and not losses(facts) and not any(one.reached or one.arrived for one in held):
        names = tuple(one.name for one in learning)
        yield Finding(
            message=f"{holders[0].name} holds parameters that no loss leads to, while the "
            f"gradients arrive at {named(names)}, which it does not hold",
            evidence=(f"no backward call led to any of the {len(held)} tensors that it holds",),
            repair=_REPAIR,
            place=holders[0].place,
            tensors=names,
            related=related((learning[0].made, f"{learning[0].name} was made here")),
        )
        return
    layers = {one.name.rpartition(".")[0] for one in held if (one.reached or one.arrived)}
    left = [one for one in learning if one.name.rpartition(".")[0] in layers - {""}]
    if left:
        names = tuple(one.name for one in left)
        yield Finding(
            message=f"{holders[0].name} was not given {named(names)}, of layers whose other "
            "parameters it moves",
            evidence=("gradients arrive at it, and no optimizer holds it",),
            repair="give the optimizer all of model.parameters(), in groups where they differ",
            place=holders[0].place,
            tensors=names,
            severity=Severity.WARNING,
        )


def _learns(one: Learner) -> bool:
    """Tell what should be moved, and is not moved by hand either."""
    learns = one.is_registered and one.kept is None and one.requires_grad and one.reached > 0
    return learns and not (one.moved and one.taken is not None)


RULES = (
    Rule(
        "optimizer_stale_params",
        Severity.ERROR,
        "The optimizer holds other parameters than the model",
        optimizer_stale_params,
    ),
)
