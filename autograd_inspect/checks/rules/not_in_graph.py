"""A derivative by something that the graph does not lead to."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import failing, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts, LiveTensor
from autograd_inspect.model.findings import Finding, Related, Severity

_MESSAGES = ("appears to not have been used in the graph",)


def grad_wrt_new_view(facts: Facts) -> Iterator[Finding]:
    """Explain a derivative by a view or slice that was taken after what depends on its base."""
    for one in _asked_for(facts):
        if not one.is_leaf and one.is_view:
            base = one.base or "its base"
            yield Finding(
                message=f"{one.name} is a new view of {base}, and nothing was computed from it: "
                f"what depends on {base} does not depend on this view",
                evidence=(f"{one.name} {one.spec}: made by {one.node}, not in the graph",),
                repair=f"compute from {one.name} what is differentiated by it, or differentiate by "
                f"{base} and take the part of that",
                place=one.made,
                tensors=(one.name,),
                related=_asked_at(facts),
                ends_run=True,
            )


def unused_in_graph(facts: Facts) -> Iterator[Finding]:
    """Explain a derivative by something that had no part in what is differentiated."""
    for one in _asked_for(facts):
        if one.is_leaf or not one.is_view:
            name = one.name or f"a tensor {one.spec}"
            yield Finding(
                message=f"{name} had no part in what is differentiated",
                evidence=(f"{name} {one.spec}: not in the graph",),
                repair=f"compute the result from {name}, leave it out, or pass allow_unused=True "
                "where that is meant",
                place=facts.failure.place if facts.failure is not None else None,
                tensors=(name,),
                related=related((one.made, f"{name} was computed here")),
                ends_run=True,
            )


def _asked_for(facts: Facts) -> tuple[LiveTensor, ...]:
    failure = failing(facts, *_MESSAGES)
    return failure.unused if failure is not None else ()


def _asked_at(facts: Facts) -> tuple[Related, ...]:
    failure = facts.failure
    return related((failure.place if failure is not None else None, "the derivative is asked here"))


RULES = (
    Rule(
        "grad_wrt_new_view",
        Severity.ERROR,
        "A derivative by a fresh view that nothing used",
        grad_wrt_new_view,
    ),
    Rule(
        "unused_parameter",
        Severity.ERROR,
        "A parameter has no part in the loss",
        unused_in_graph,
    ),
)
