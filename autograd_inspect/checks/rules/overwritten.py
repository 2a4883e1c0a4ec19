"""Saved tensors that were overwritten before backward, by the program or by an optimizer's step."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import event_between, name_of_saved, overwritten, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import EventKind, Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.rows import Saved


def inplace_on_saved(facts: Facts) -> Iterator[Finding]:
    """Find the write that made a saved tensor another one before backward could read it."""
    for capture, saved, versions in overwritten(facts):
        if event_between(facts, saved, EventKind.STEP) is not None:
            continue
        node, write = saved.node, saved.write
        name = name_of_saved(saved)
        wrote = f"{write.op} overwrites" if write is not None else "something overwrites"
        yield Finding(
            message=f"{wrote} {name}, which {node.title} saved to compute its gradient",
            evidence=(f"{node.title} saved it as {saved.name}{_shape(saved)}{versions}",),
            repair="compute a new tensor instead of writing in place (x = x + y for x += y), or "
            "write to a clone()",
            place=write.place if write is not None else node.place,
            tensors=(name,),
            related=related(
                (node.place, f"{node.title} saved it here"),
                (capture.about.place, "backward needed it here"),
            ),
            ends_run=True,
        )


def optimizer_step_between(facts: Facts) -> Iterator[Finding]:
    """Find the optimizer step that changed weights which a graph made before it had saved."""
    for capture, saved, versions in overwritten(facts):
        step = event_between(facts, saved, EventKind.STEP)
        if step is None:
            continue
        node, name = saved.node, name_of_saved(saved)
        yield Finding(
            message=f"{step.name}.step() changes {name} in place after {node.title} saved it, and "
            f"the backward of {_root(capture)} still needs the old values",
            evidence=(f"{node.title} saved it as {saved.name}{_shape(saved)}{versions}",),
            repair="call backward before step(), or compute the loss again after it",
            place=step.place,
            tensors=(name,),
            related=related(
                (node.place, f"{node.title} saved it here"),
                (capture.about.place, "backward needed it here"),
            ),
            ends_run=True,
        )


def _shape(saved: Saved) -> str:
    return f" {saved.spec}" if saved.spec is not None else ""


def _root(capture: Capture) -> str:
    return ", ".join(root.name for root in capture.graph.roots if root.name) or "the loss"


RULES = (
    Rule(
        "inplace_on_saved",
        Severity.ERROR,
        "A saved tensor was overwritten before backward",
        inplace_on_saved,
    ),
    Rule(
        "optimizer_step_between",
        Severity.ERROR,
        "optimizer.step() between a forward and its backward",
        optimizer_step_between,
    ),
)
