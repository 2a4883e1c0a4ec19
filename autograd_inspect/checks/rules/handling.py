"""What was done to gradients between backward and step, in the wrong order or by the wrong loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.facts import Event, EventKind, Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

_CLIPPING = {"clip_grad_norm_", "clip_grad_norm", "clip_grad_value_", "clip_grads_with_norm_"}
_ORDER = {EventKind.BACKWARD, EventKind.STEP}


def clip_after_step(facts: Facts) -> Iterator[Finding]:
    """Find gradients that are clipped only once the step has used them."""
    late = _rescaled_after_step(facts.events)
    if late is None:
        yield from _clipped_before_backward(facts)
        return
    clip, step = late
    yield Finding(
        message="the gradients are clipped after the step has used them, so that clipping changes "
        "nothing",
        evidence=(f"{step.name} stepped at {step.place}, then {clip.name} rescaled the gradients",),
        repair="clip between backward() and step()",
        place=clip.place,
        related=related((step.place, "the step used them here")),
    )


def _rescaled_after_step(events: tuple[Event, ...]) -> tuple[Event, Event] | None:
    """Give a rescaling and the step before it, if no rescaling of its line is ever in time."""
    late: dict[Place | None, tuple[Event, Event]] = {}
    in_time: set[Place | None] = set()
    for at, event in enumerate(events):
        if event.kind is not EventKind.RESCALE:
            continue
        before = next((e for e in reversed(events[:at]) if e.kind in _ORDER), None)
        after = next((e for e in events[at:] if e.kind in _ORDER), None)
        is_late = before is not None and before.kind is EventKind.STEP
        if before is not None and is_late and (after is None or after.kind is not EventKind.STEP):
            late.setdefault(event.place, (event, before))
        else:
            in_time.add(event.place)
    return next((pair for place, pair in late.items() if place not in in_time), None)


def _clipped_before_backward(facts: Facts) -> Iterator[Finding]:
    """Find a clipping in front of a backward that never found a gradient to clip."""
    sources = Sources(facts.start)
    found = {event.place.line for event in facts.events if event.kind is EventKind.RESCALE
             and event.place is not None}  # fmt: skip
    calls = (event.place for event in facts.events if event.kind is EventKind.BACKWARD)
    for place in dict.fromkeys(one for one in calls if one is not None):
        for statement in _in_front_of(sources, place):
            lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
            if _clips(statement) and found.isdisjoint(lines):
                yield Finding(
                    message="the gradients are clipped before backward has written them, so that "
                    "clipping changes nothing",
                    evidence=(f"backward ran afterwards, at {place}",),
                    repair="clip between backward() and step()",
                    place=replace(place, line=statement.lineno),
                    related=related((place, "the gradients are written here")),
                )


def _in_front_of(sources: Sources, place: Place) -> Iterator[ast.stmt]:
    """Give the statements that run before that of a line, in the same block."""
    tree, statement = sources.tree(place.file), sources.statement(place)
    for node in ast.walk(tree) if tree is not None else ():
        for block in (getattr(node, name, ()) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and statement in block:
                yield from block[: block.index(statement)]


def _clips(statement: ast.stmt) -> bool:
    """Tell a statement that only calls one of torch's functions for clipping."""
    call = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    name = getattr(call, "func", None)
    return getattr(name, "attr", getattr(name, "id", "")) in _CLIPPING


def scaled_grads_used(facts: Facts) -> Iterator[Finding]:
    """Find gradients that are clipped or used while a GradScaler's factor is still in them."""
    scaled: Event | None = None
    unscaled: set[int] = set()
    for event in facts.events:
        if event.kind is EventKind.BACKWARD:
            scaled, unscaled = event if event.scaled else None, set()
        elif event.kind is EventKind.UNSCALE:
            unscaled.add(event.optimizer)
        elif scaled is not None and _uses_scaled(event, unscaled):
            clips = event.kind is EventKind.RESCALE
            what = "clipped" if clips else "used by a step"
            yield Finding(
                message=f"the gradients are {what} while they are still multiplied by the loss "
                "scale",
                evidence=(
                    (
                        f"backward of the scaled {scaled.name or 'loss'} ran at "
                        f"{scaled.place}, and "
                        "nothing unscaled the gradients since"
                    ),
                ),
                repair="call scaler.unscale_(optimizer) before looking at the gradients"
                if clips
                else "step with scaler.step(optimizer), which divides by the scale",
                place=event.place,
                related=related((scaled.place, "the scaled loss")),
            )
            return


def _uses_scaled(event: Event, unscaled: set[int]) -> bool:
    """Tell what uses gradients that nothing has unscaled, of its own optimizer or at all."""
    if event.kind is EventKind.STEP:
        return event.optimizer not in unscaled
    return event.kind is EventKind.RESCALE and not unscaled


def gradient_leak_between_losses(facts: Facts) -> Iterator[Finding]:
    """Find a step that uses what the loss of another optimizer left in its parameters."""
    for share in facts.observed.shares:
        yield Finding(
            message=f"the step of {share.optimizer} also uses gradients of the loss that is meant "
            f"for {share.other}",
            evidence=(
                (
                    f"its own loss ran backward at {share.own}, the other at "
                    f"{share.foreign}, with no "
                    "zero_grad() in between"
                ),
            ),
            repair=f"freeze these parameters while the other loss is computed, or clear their "
            f"gradients before the step of {share.optimizer}",
            place=share.foreign,
            tensors=share.parameters,
            related=related((share.own, "its own loss"), (share.step, "the step used both here")),
        )


RULES = (
    Rule("clip_after_step", Severity.WARNING, "Clipping after the gradients were used",
         clip_after_step),
    Rule("scaled_grads_used", Severity.WARNING, "Gradients used while still scaled",
         scaled_grads_used),
    Rule("gradient_leak_between_losses", Severity.WARNING,
         "One loss's backward adds to what another optimizer steps", gradient_leak_between_losses),
)  # fmt: skip
