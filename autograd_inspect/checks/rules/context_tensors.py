"""Tensors that a custom Function keeps on ctx itself."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.functions import function_named
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import ContextTensor, Facts
from autograd_inspect.model.findings import Finding, Severity


def ctx_attribute_tensor(facts: Facts) -> Iterator[Finding]:
    """Find tensors on ctx that were still alive after the backward calls that needed them."""
    by_function: dict[str, list[ContextTensor]] = {}
    for one in facts.contexts:
        by_function.setdefault(one.function, []).append(one)
    for name, tensors in by_function.items():
        written = function_named(facts, name)
        alive = max(one.alive for one in tensors)
        yield Finding(
            message=f"{name} keeps tensors as attributes of ctx: backward does not free them, as "
            "it does what save_for_backward keeps",
            evidence=(
                *(f"ctx.{one.name} {one.spec}" for one in tensors[:4]),
                f"at the end those of {alive} backward calls were alive",
            ),
            repair="ctx.save_for_backward(...) in forward, and ctx.saved_tensors in backward",
            place=written.kept(tensors[0].name) if written is not None else None,
            tensors=tuple(one.name for one in tensors),
            marked=f"ctx.{tensors[0].name}",
            # The latest graph of a program is alive as long as its loss is.
            severity=None if alive > 1 else Severity.INFO,
        )


RULES = (
    Rule(
        "ctx_attribute_tensor",
        Severity.WARNING,
        "A custom Function keeps tensors on ctx, which outlive backward",
        ctx_attribute_tensor,
    ),
)
