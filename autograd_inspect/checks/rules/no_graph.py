"""Backward on something that no graph leads to."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import failing
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.checks.written import tensors_at
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Related, Severity
from autograd_inspect.model.flow import Cut


def root_without_graph(facts: Facts) -> Iterator[Finding]:
    """Explain a backward that starts at something which does not require grad."""
    failure = failing(facts, "does not require grad and does not have a grad_fn")
    if failure is None:
        return
    near = tensors_at(Sources(facts.start), failure.place, failure.tensors)
    name = near[0].name if near else "the tensor"
    cuts = [cut for capture in facts.captures for cut in capture.graph.cuts if cut.reaches]
    yield Finding(
        message=f"backward starts at {name}, which does not require grad: nothing that it was "
        "computed from does, or what it was computed by lost the graph",
        evidence=tuple(map(_told, cuts[:3])) or ("no value that requires grad went into it",),
        repair="let the parameters require grad, and compute the loss from them without detach(), "
        ".item(), numpy or torch.no_grad()",
        place=failure.place,
        related=tuple(
            Related(cut.place, f"{cut.op} {cut.kind.text}") for cut in cuts[:3] if cut.place
        ),
        ends_run=True,
    )


def _told(cut: Cut) -> str:
    return f"{cut.op} at {cut.place} {cut.kind.text}"


RULES = (
    Rule(
        "root_without_graph",
        Severity.ERROR,
        "backward on a tensor that does not require grad",
        root_without_graph,
        explained_by="2",
    ),
)
