"""What went wrong in a training, and what its author should know: a small function for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from autograd_inspect.model.training import Fate, Finding, Step, Training

#: Names that a sentence lists.
_NAMES = 6
#: Steps from which on a trend is one.
_TREND = 4


def judged(training: Training) -> Training:
    """Give the training with all there is to say of it."""
    found = [finding for check in _CHECKS for finding in check(training)]
    return replace(training, findings=tuple(sorted(found, key=lambda one: not one.is_fault)))


def missing_zero_grad(training: Training) -> Iterator[Finding]:
    """Find gradients that were added to those that a step had used, which nobody cleared."""
    if not training.reused_steps:
        return
    first = next((step for step in training.steps if step.reused), None)
    evidence = []
    if first is not None:
        parameters = _counted(first.reused, "parameter")
        evidence.append(f"first in step {first.number}: {parameters} of {_name(training, first)}")
    if training.reused_place is not None:
        evidence.append(f"backward was called at {training.reused_place}")
    yield Finding(
        "missing_zero_grad",
        is_fault=True,
        message=(
            f"{training.reused_steps} of {_counted(training.seen, 'step')} used gradients that "
            "were added to those of an earlier step: zero_grad() was not called in between"
        ),
        evidence=tuple(evidence),
    )


def accumulation(training: Training) -> Iterator[Finding]:
    """Tell several backward calls before each step from the fault: these add up as intended."""
    several = [step for step in training.steps if step.added]
    if training.reused_steps or len(several) <= len(training.steps) // 2:
        return
    yield Finding(
        "gradients_accumulated",
        is_fault=False,
        message=(
            f"gradients of {_span(step.added + 1 for step in several)} backward calls "
            "are added up before a step, and cleared after it"
        ),
    )


def optimizer_stale_params(training: Training) -> Iterator[Finding]:
    """Compare what optimizers hold with what modules have and gradients arrive at."""
    if not training.seen:
        return
    held = [fate for fate in training.parameters if fate.optimizers]
    stale = list(filter(_is_stale, held))
    missing = [f for f in training.parameters if not f.is_held and f.reached and f.requires_grad]
    if stale and missing:
        yield Finding(
            "optimizer_stale_params",
            is_fault=True,
            message=(
                f"the optimizer moves {_counted(len(stale), 'parameter')} that no module has any "
                f"more, and not the {len(missing):,} that gradients arrive at"
            ),
            evidence=(f"in no optimizer: {_listed(missing)}",),
        )
        return
    # A model none of whose parameters is in an optimizer is a judge or a teacher, and meant so.
    taught = {_owner(fate) for fate in held}
    for is_fault in (True, False):
        lacking = [f for f in missing if is_fault is (not f.is_owned or _owner(f) in taught)]
        if lacking:
            yield Finding(
                "optimizer_lacks_params",
                is_fault=is_fault,
                message=(
                    f"gradients arrive at {_counted(len(lacking), 'parameter')} that no optimizer "
                    f"holds: {_listed(lacking)}"
                ),
            )


def _is_stale(fate: Fate) -> bool:
    """Tell a parameter that an optimizer still holds and nothing of the program uses any more."""
    return bool(fate.steps) and not fate.arrived and not fate.is_owned


def _owner(fate: Fate) -> str:
    first, _, rest = fate.name.partition(".")
    return f"self.{rest.partition('.')[0]}" if first == "self" else first


def parameter_never_updated(training: Training) -> Iterator[Finding]:
    """List parameters of an optimizer that no step changed, by the reason why."""
    still = [
        fate
        for fate in training.parameters
        if fate.requires_grad and fate.steps > 1 and not fate.moved and not _is_stale(fate)
    ]
    # Some that rest may be meant to: a head that this loss does not need, a bias that cancels.
    is_fault = all(fate in still for fate in training.parameters if fate.steps > 1)
    reasons: dict[str, list[Fate]] = {}
    for fate in still:
        reasons.setdefault(_why_still(fate), []).append(fate)
    for reason, fates in reasons.items():
        yield Finding(
            "parameter_never_updated",
            is_fault=is_fault,
            message=f"never updated, for {reason}: {_listed(fates)}",
        )


def _why_still(fate: Fate) -> str:
    if not fate.arrived:
        return "no gradient ever arrived"
    if not fate.nonzero:
        return "the gradient was zero in every step"
    return "the update was exactly zero although there was a gradient"


def graph_of_earlier_steps(training: Training) -> Iterator[Finding]:
    """Find graphs that contain nodes of those of earlier steps."""
    if training.unfinished:
        nodes = _counted(training.unfinished, "node")
        overwritten = "modified by an inplace operation" in training.failed
        yield Finding(
            "optimizer_step_between" if overwritten else "state_carries_graph",
            is_fault=True,
            message=f"the graph whose backward failed contains {nodes} of earlier steps' graphs"
            + (
                ", and the step in between has changed weights that it saved" if overwritten else ""
            ),
            evidence=_holding(training),
        )
        return
    having = [step for step in training.steps if step.earlier]
    if not having:
        return
    first, last = having[0], having[-1]
    if len(having) >= _TREND - 1 and last.earlier > first.earlier and _rises(having, "earlier"):
        yield Finding(
            "graph_grows_over_steps",
            is_fault=True,
            message=(
                f"each step's graph contains those of the steps before: {first.nodes:,} nodes in "
                f"step {first.number}, {last.nodes:,} in step {last.number}"
            ),
            evidence=_holding(training),
        )
    else:
        yield Finding(
            "graph_shared_between_steps",
            is_fault=False,
            message=(
                f"the graph of {_counted(len(having), 'step')} contains nodes of an earlier "
                f"step's graph, {last.earlier:,} in step {last.number}"
            ),
            evidence=_holding(training),
        )


def stored_tensor_keeps_graph(training: Training) -> Iterator[Finding]:
    """Notice that more graphs are alive from step to step, or hang on what variables keep."""
    steps = training.steps
    if len(steps) < _TREND:
        return
    last, between = steps[-1], training.seen - 2
    middle = steps[len(steps) // 2]
    if last.live >= _TREND - 1 and last.live >= training.seen / 2 and last.live > middle.live:
        yield Finding(
            "stored_tensor_keeps_graph",
            is_fault=True,
            message=(
                f"the graphs of {_counted(last.live, 'backward call')} of earlier steps are still "
                f"alive after step {last.number}, {middle.live:,} were after step {middle.number}"
            ),
            evidence=_holding(training),
        )
    elif training.growing >= max(between, _TREND - 1):
        yield Finding(
            "stored_tensor_keeps_graph",
            is_fault=True,
            message=(
                f"{_counted(training.growing, 'tensor')} with a graph came to be kept in "
                f"{_counted(between, 'step')}"
            ),
            evidence=_holding(training),
        )


def create_graph_in_grad(training: Training) -> Iterator[Finding]:
    """Find gradients that have a graph of their own, which keeps their step's memory."""
    having = [step for step in training.steps if step.attached]
    if having:
        yield Finding(
            "create_graph_in_grad",
            is_fault=True,
            message=(
                f"in {_counted(len(having), 'step')} .grad had a graph of its own "
                "(backward with create_graph=True): parameter and graph keep each other alive"
            ),
        )


def not_finite(training: Training) -> Iterator[Finding]:
    """Find the first step whose loss or gradient is NaN or infinite."""
    for step in training.steps:
        odd = [loss.name for loss in step.losses if _is_odd(loss.value)]
        if odd or _is_odd(step.moved.gradient):
            what = " and ".join([*odd, *(["the gradient"] if _is_odd(step.moved.gradient) else [])])
            yield Finding(
                "not_finite",
                is_fault=True,
                message=f"{what}: NaN or infinite, first in step {step.number}",
            )
            return


def _is_odd(value: float | None) -> bool:
    return value is not None and not math.isfinite(value)


def skipped(training: Training) -> Iterator[Finding]:
    """Count the steps that a GradScaler skipped."""
    if training.skipped:
        yield Finding(
            "steps_skipped",
            is_fault=False,
            message=(
                f"the GradScaler skipped {_counted(training.skipped, 'step')} whose gradients were "
                "not finite"
            ),
        )


_CHECKS: Sequence[Callable[[Training], Iterable[Finding]]] = (
    missing_zero_grad,
    optimizer_stale_params,
    parameter_never_updated,
    graph_of_earlier_steps,
    stored_tensor_keeps_graph,
    create_graph_in_grad,
    not_finite,
    skipped,
    accumulation,
)


def _holding(training: Training) -> tuple[str, ...]:
    """Say what holds graphs of earlier steps."""
    names = [held.name for held in training.held if held.step < training.seen]
    names = names or [held.name for held in training.held]
    return (f"held by {_joined(names)}",) if names else ()


def _rises(steps: Sequence[Step], name: str) -> bool:
    values = [getattr(step, name) for step in steps]
    return all(one <= following for one, following in pairwise(values))


def _name(training: Training, step: Step) -> str:
    return training.optimizers[step.optimizer]


def _listed(fates: Sequence[Fate]) -> str:
    return _joined([fate.name or f"a tensor {list(fate.shape)}" for fate in fates])


def _joined(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES])
    return shown if len(names) <= _NAMES else f"{shown} and {len(names) - _NAMES:,} more"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def _span(numbers: Iterable[int]) -> str:
    low, *_, high = sorted(numbers) * 2
    return f"{low}" if low == high else f"{low} to {high}"
