"""A derivative by something that the graph does not lead to."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import failing, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts, LiveTensor
from autograd_inspect.model.findings import Finding, Severity

_MESSAGES = ("appears to not have been used in the graph",)


def unused_in_graph(facts: Facts) -> Iterator[Finding]:
    """Explain a derivative by something that had no part in what is differentiated."""
    for one in _asked_for(facts):
        if one.is_leaf:
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


RULES = (
    Rule(
        "unused_parameter",
        Severity.ERROR,
        "A parameter has no part in the loss",
        unused_in_graph,
    ),
)
