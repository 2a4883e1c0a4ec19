"""Parameters that learn nothing because no optimizer was given them."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import named, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.facts import Facts, Learner
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

_NOTHING_GIVEN = "optimizer got an empty parameter list"


def param_not_registered(facts: Facts) -> Iterator[Finding]:
    """Find what a module computes with and keeps where `parameters()` does not look."""
    empty = facts.failure is not None and _NOTHING_GIVEN in facts.failure.message
    if not (empty or any(one.holders for one in facts.learners)):
        return
    sources = Sources(facts.start)
    optimizer = _optimizer_line(facts)
    for owner, hidden in _hidden(facts, empty=empty).items():
        kept = hidden[0].kept
        bound = sources.binding_of(kept.attribute, kept.place) if kept and kept.place else None
        names = tuple(dict.fromkeys(one.name for one in hidden if one.name))
        where = f"self.{kept.attribute}, which {kept.module} does not register" if kept else ""
        yield Finding(
            message=f"{named(names) or 'a Parameter'} is kept in {where}"
            if where
            else f"the Parameter made here became a plain tensor, so no module registers {owner}",
            evidence=(
                "parameters() does not list it, so no optimizer moves it"
                + (f"; {hidden[0].reached} backward calls led to it" if hidden[0].reached else ""),
            ),
            repair="keep layers in nn.ModuleList or nn.ModuleDict, parameters in nn.ParameterList "
            "or nn.ParameterDict; cast the values before nn.Parameter takes them",
            place=bound or hidden[0].made,
            tensors=names,
            related=related(
                (hidden[0].made if bound else None, "it was made here"),
                (optimizer, "the optimizer was given its parameters here"),
            ),
            ends_run=empty,
        )


def parameter_made_in_forward(facts: Facts) -> Iterator[Finding]:
    """Find a Parameter that is new in every step, so that no optimizer can follow it."""
    times: dict[Place, set[int]] = {}
    for one in facts.learners:
        if one.made is not None:
            times.setdefault(one.made, set()).add(one.made_after)
    for one in _unheld(facts):
        if one.made is None or not one.is_parameter or _is_setup(one) or one.is_copy:
            continue
        again = len(times[one.made]) > 1
        # A layer that is made once, in its first call, came late but stays.
        if one.is_registered and not (again and one.in_forward):
            continue
        if not again and not one.in_forward:
            continue
        yield Finding(
            message=f"{one.name or 'a Parameter'} is made anew each time this line runs, and the "
            "gradient that arrives at one is lost with it",
            evidence=(
                f"it was made in {len(times[one.made])} different steps, and no optimizer holds it",
            ),
            repair="make the Parameter once, in __init__, and compute with it here",
            place=one.made,
            tensors=(one.name,) if one.name else (),
        )


def _hidden(facts: Facts, *, empty: bool) -> dict[str, list[Learner]]:
    """Group what is kept out of sight by the attribute that keeps it, or the line that made it."""
    found: dict[str, list[Learner]] = {}
    for one in facts.learners:
        if one.in_forward or one.made_after:
            continue
        if one.holders or not one.requires_grad or not (one.reached or one.arrived or empty):
            continue
        if one.kept is not None and one.kept.place is not None:
            found.setdefault(f"{one.kept.module}.{one.kept.attribute}", []).append(one)
        elif one.is_parameter and not one.is_registered and one.is_leaf and _is_setup(one):
            found.setdefault(str(one.made), []).append(one)
    return found


def _unheld(facts: Facts) -> Iterator[Learner]:
    if any(one.holders for one in facts.learners):
        for one in facts.learners:
            if (one.reached or one.arrived) and not one.holders:
                yield one


def _is_setup(one: Learner) -> bool:
    return one.made is not None and one.made.function == "__init__" and not one.in_forward


def _optimizer_line(facts: Facts) -> Place | None:
    holders = [holder for one in facts.learners for holder in one.holders]
    return holders[0].place if holders else None


RULES = (
    Rule(
        "param_not_registered",
        Severity.ERROR,
        "A module keeps parameters where it does not register them",
        param_not_registered,
    ),
    Rule(
        "parameter_made_in_forward",
        Severity.ERROR,
        "A new Parameter in every call",
        parameter_made_in_forward,
    ),
)
