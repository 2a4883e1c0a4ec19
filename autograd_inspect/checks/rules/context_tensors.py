"""Tensors that a custom Function keeps on ctx itself."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.functions import function_named
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import ContextTensor, Facts
from autograd_inspect.model.findings import Finding, Severity


def ctx_attribute_tensor(facts: Facts) -> Iterator[Finding]:
    """Find tensors on ctx that outlive backward, or that nobody sees overwritten."""
    by_function: dict[str, list[ContextTensor]] = {}
    for one in facts.contexts:
        by_function.setdefault(one.function, []).append(one)
    for name, tensors in by_function.items():
        written = function_named(facts, name)
        tensors.sort(key=lambda one: not one.in_graph)
        first, alive = tensors[0], max(one.alive for one in tensors)
        yield Finding(
            message=f"{name} keeps tensors as attributes of ctx: backward does not free them, as "
            "it does what save_for_backward keeps",
            evidence=(
                *(f"ctx.{one.name} {one.spec}" for one in tensors[:4]),
                f"at the end those of {alive} backward calls were alive",
                *(["it requires grad: it went into the Function or came out"] * first.in_graph),
            ),
            repair="ctx.save_for_backward(...) in forward, and ctx.saved_tensors in backward",
            place=written.kept(first.name) if written is not None else None,
            tensors=tuple(one.name for one in tensors),
            marked=f"ctx.{first.name}",
            # The latest graph of a program is alive as long as its loss is; but what went in or
            # came out is the program's, which may overwrite it, or leads back to ctx.
            severity=None if alive > 1 or first.in_graph else Severity.INFO,
        )


RULES = (
    Rule(
        "ctx_attribute_tensor",
        Severity.WARNING,
        "A custom Function keeps tensors on ctx, which outlive backward",
        ctx_attribute_tensor,
    ),
)
