"""Backward through a graph, part of which an earlier backward has used up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autograd_inspect.checks.carried import Carried, carried_into
from autograd_inspect.checks.reading import failing, name_of, overwritten, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import Event, EventKind, Facts, LiveTensor
from autograd_inspect.model.findings import Finding, Related, Severity
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import SavedState


@dataclass(frozen=True, slots=True)
class Used:
    """A graph that could not be run, and the backward that had run part of it before.

    carried  how the old part got into it; None where all of it is old
    """

    capture: Capture
    before: Event
    carried: Carried | None
    seen: tuple[str, ...]


def state_carries_graph(facts: Facts) -> Iterator[Finding]:
    """Find a state that goes from step to step with its graph."""
    for used in _used(facts):
        carried = used.carried
        if carried is None or not _is_state(facts, carried):
            continue
        name = _name_of_state(facts, carried)
        yield Finding(
            message=f"{name} comes from an earlier step with its graph, so backward goes on into "
            "that step's graph, which was used up",
            evidence=used.seen,
            repair=f"detach the state between steps: {name} = {name}.detach()",
            place=carried.source.place,
            tensors=(name,),
            related=_lines(used, carried, "took the old value"),
            ends_run=True,
        )


def stale_graph_reused(facts: Facts) -> Iterator[Finding]:
    """Find values of an earlier graph in a new loss, and a graph that is run a second time."""
    for used in _used(facts):
        carried = used.carried
        if carried is None:
            yield _run_twice(used)
        elif not _is_state(facts, carried):
            held = _held(facts, carried.source)
            name = held.name if held is not None else name_of(carried.source)
            source = carried.source.place
            yield Finding(
                message=f"{name} was computed before an earlier backward, which used its graph "
                "up, and now goes into another loss",
                evidence=used.seen,
                repair="start the sum anew after each backward"
                if carried.is_added and carried.is_recurrent
                else "compute it again for each backward, clear what is stored after it, or "
                "detach() it; retain_graph=True on the first backward keeps the graph",
                place=carried.taker.place or source,
                tensors=(name,),
                related=related(
                    (source, f"{carried.source.title} made it here"),
                    (used.before.place, "this backward used its graph up"),
                ),
                ends_run=True,
            )


def _is_state(facts: Facts, carried: Carried) -> bool:
    """Tell a state from a running sum of losses, which enters the next loss as a summand alone."""
    return (carried.is_recurrent and not carried.is_added) or _is_renewed(facts, carried.source)


def _is_renewed(facts: Facts, source: Node) -> bool:
    """Tell whether the line that made an old value has made a new one from it, beside the loss."""
    tensors = facts.failure.tensors if facts.failure is not None else ()
    roots = {node.sequence for node in _roots(facts)}
    return any(
        one.made == source.place and one.sequence > source.sequence and one.steps > 1
        for one in tensors
        if one.sequence not in roots
    )


def _roots(facts: Facts) -> Iterator[Node]:
    if facts.failure is not None and facts.failure.capture >= 0:
        yield from (root.node for root in facts.captures[facts.failure.capture].graph.roots)


def _used(facts: Facts) -> Iterator[Used]:
    """Explain a backward that failed for what an earlier one had done."""
    failure = failing(facts, "backward through the graph a second time", "modified by an inplace")
    if failure is None or failure.capture < 0:
        return
    capture = facts.captures[failure.capture]
    if "second time" in failure.message:
        freed = [node for node in capture.graph.nodes if _is_freed(node)]
        before = [one for node in freed if (one := _backward_after(facts, capture, node))]
        if before:
            last = max(before, key=lambda event: event.sequence)
            nodes = f"{len(freed)} of {len(capture.graph)} nodes of the graph were used up"
            seen = (f"{nodes} by backward call {last.number}",)
            yield Used(capture, last, carried_into(capture.graph, last.sequence), seen)
        return
    for _, saved, versions in overwritten(facts):
        last_call = _same_call_after(facts, capture, saved.node)
        if last_call is not None:
            carried = carried_into(capture.graph, last_call.sequence)
            seen = (f"{saved.node.title} saved {saved.name} before that{versions}",)
            if carried is not None:
                yield Used(capture, last_call, carried, seen)


def _run_twice(used: Used) -> Finding:
    """Say that one graph is run by two backward calls."""
    capture, before = used.capture, used.before
    is_same = before.place == capture.about.place
    return Finding(
        message="backward runs through a graph that "
        + ("this line has" if is_same else f"backward of {before.name or 'another loss'} has")
        + " run before and used up",
        evidence=used.seen,
        repair="add the losses and call backward once, or give the first call retain_graph=True"
        if not is_same
        else "compute the loss anew for each backward",
        place=before.place,
        related=()
        if is_same
        else related((capture.about.place, "this backward needed the graph again")),
        tensors=tuple(root.name for root in capture.graph.roots if root.name),
        ends_run=True,
    )


def _lines(used: Used, carried: Carried, role: str) -> tuple[Related, ...]:
    return related(
        *((place, "called from here") for place in carried.source.stack[1:2]),
        *(((carried.taker.place, role),) if carried.taker.place != carried.source.place else ()),
        (used.before.place, "this backward used the graph up"),
    )


def _name_of_state(facts: Facts, carried: Carried) -> str:
    """Name what carries a state: the variable that the same line has filled anew since."""
    held = _held(facts, carried.source)
    if held is not None:
        return held.name
    tensors = facts.failure.tensors if facts.failure is not None else ()
    anew = (one for one in tensors if one.made == carried.source.place and not one.is_leaf)
    later = next(anew, None)
    return later.name if later is not None else name_of(carried.source)


def _held(facts: Facts, node: Node) -> LiveTensor | None:
    """Find what the program still has of a node."""
    tensors = facts.failure.tensors if facts.failure is not None else ()
    return next((one for one in tensors if one.sequence == node.sequence), None)


def _is_freed(node: Node) -> bool:
    return any(saved.state is SavedState.FREED for saved in node.saved)


def _backward_after(facts: Facts, capture: Capture, node: Node) -> Event | None:
    """Find the call that used a node up: the first since that did not keep the graph."""
    for event in _earlier_calls(facts, capture):
        if event.sequence > node.sequence and not event.retains:
            return event
    return None


def _same_call_after(facts: Facts, capture: Capture, node: Node) -> Event | None:
    """Find an earlier call of the same line that came after a node was made."""
    for event in _earlier_calls(facts, capture):
        if event.sequence > node.sequence and event.place == capture.about.place:
            return event
    return None


def _earlier_calls(facts: Facts, capture: Capture) -> Iterator[Event]:
    calls = (event for event in facts.events if event.kind is not EventKind.STEP)
    return (event for event in calls if event.number < capture.about.number)


#: What else is seen of values that go from step to step with their graph.
_CONSEQUENCES = frozenset(
    [
        "optimizer_step_between",
        "inplace_on_saved",
        "accumulated_loss_graph",
        "stored_tensor_keeps_graph",
        "graph_grows_over_steps",
    ]
)

RULES = (
    Rule(
        "state_carries_graph",
        Severity.ERROR,
        "A state carries the graph of the previous step",
        state_carries_graph,
        explains=_CONSEQUENCES,
    ),
    Rule(
        "stale_graph_reused",
        Severity.ERROR,
        "Values of a graph that was used up go into a new loss",
        stale_graph_reused,
        explains=_CONSEQUENCES,
    ),
)
