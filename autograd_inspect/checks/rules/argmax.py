"""An index-valued result between a parameter and the loss."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import unreached
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.flow import CutKind

_INDEX_VALUED = {"argmax", "argmin", "argsort"}


def nondiff_argmax(facts: Facts) -> Iterator[Finding]:
    """Find an argmax whose index goes on to the loss while what it was taken of learns nothing."""
    lost = unreached(facts)
    for capture in facts.captures:
        for cut in capture.graph.cuts:
            name = cut.op.rpartition(".")[2]
            behind = tuple(leaf for leaf in cut.leaves if leaf in lost)
            if cut.kind is not CutKind.INTEGER or name not in _INDEX_VALUED or not behind:
                continue
            if cut.reaches:
                yield Finding(
                    message=f"{name} gives an index, which has no derivative, so no gradient "
                    f"reaches {', '.join(behind[:3])}",
                    evidence=(f"{cut.op} ran {cut.times}x and its result went on into the loss",),
                    repair="use a soft choice (softmax weights, gumbel_softmax) or a "
                    "straight-through estimator",
                    place=cut.place,
                    tensors=behind,
                    marked=name,
                )


RULES = (
    Rule(
        "nondiff_argmax",
        Severity.ERROR,
        "argmax or another index stands between parameter and loss",
        nondiff_argmax,
    ),
)
