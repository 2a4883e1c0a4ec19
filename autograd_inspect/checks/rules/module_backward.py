"""A method named backward where autograd does not look for one."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity


def module_backward_ignored(facts: Facts) -> Iterator[Finding]:
    """Find modules with a `backward` that their author expects autograd to call."""
    for name, place in facts.gradcheck.ignored if facts.gradcheck is not None else ():
        yield Finding(
            message=f"{name} is a method of an nn.Module, and autograd never calls it: the "
            "gradient is that of forward",
            evidence=("autograd calls the backward of torch.autograd.Function only",),
            repair="write it as a torch.autograd.Function with static forward and backward, and "
            "call its apply",
            place=place,
            marked="backward",
        )


RULES = (
    Rule(
        "module_backward_ignored",
        Severity.ERROR,
        "A backward of a module, which autograd never calls",
        module_backward_ignored,
    ),
)
