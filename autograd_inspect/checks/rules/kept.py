"""Graphs that outlive their step: in what is summed up, stored, or carried on."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from math import prod

from autograd_inspect.checks.carried import carried_into
from autograd_inspect.checks.reading import name_of, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.checks.written import container_of, stores_into
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import EventKind, Facts, LiveTensor
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

#: Steps over which something has to be kept to be a habit.
_HABIT = 3


def accumulated_loss_graph(facts: Facts) -> Iterator[Finding]:
    """Find a running value that keeps the graph of every step it has taken in."""
    for held in _growing(facts):
        if not _is_number(held):
            continue
        yield Finding(
            message=f"{held.name} is summed up over the steps with its graph, and keeps the graph "
            f"of each of {held.steps} steps alive",
            evidence=(f"{held.name} {held.spec} requires grad: made by {held.node}",),
            repair="take the number alone: loss.item(), or loss.detach() for a tensor",
            place=held.made,
            tensors=(held.name,),
            related=related(*((place, "called from here") for place in held.stack[1:2])),
        )


def _growing(facts: Facts) -> Iterator[LiveTensor]:
    """Give what contains the graphs of several steps, and is not what backward is called on."""
    used = {
        (node.place, node.op)
        for capture in facts.captures
        for node in capture.graph.nodes
        if node.place is not None
    }
    # What is computed of a sum comes after it.
    for held in sorted(facts.held, key=lambda one: one.sequence):
        if held.steps > 1 and not held.step and (held.made, held.node) not in used:
            yield held


def _is_number(held: LiveTensor) -> bool:
    return prod(_sizes(held)) == 1


def stored_tensor_keeps_graph(facts: Facts) -> Iterator[Finding]:
    """Find tensors that are stored step after step, each with its graph."""
    stored: dict[str, list[LiveTensor]] = {}
    for held in facts.held:
        container = container_of(held.name)
        if container and held.steps < 2:
            stored.setdefault(container, []).append(held)
    told: set[Place | None] = set()
    for container, tensors, at in sorted(
        ((name, held, _stored_at(facts, name, held)) for name, held in stored.items()),
        key=lambda one: one[2] is None,
    ):
        steps = len({_step_of(facts, one) for one in tensors})
        first = tensors[0]
        if steps < _HABIT or (at is None and first.made in told):
            continue  # what is stored may go by several names
        told.add(first.made)
        # What backward has gone through holds no more than its nodes; a number holds no more.
        is_heavy = any(not one.step or not _is_number(one) for one in tensors)
        yield Finding(
            message=f"{container} keeps {len(tensors)} tensors of {steps} steps, each with the "
            "graph that it was computed by",
            evidence=(
                f"{first.name} {first.spec} requires grad: made by {first.node}"
                + ("" if first.step else ", and backward never went through its graph"),
            ),
            repair="store x.detach() (or x.item()), or compute it under torch.no_grad()",
            place=at or first.made,
            tensors=(container,),
            related=related((first.made, f"{first.name} was computed here")) if at else (),
            severity=None if is_heavy else Severity.INFO,
        )


def graph_grows_over_steps(facts: Facts) -> Iterator[Finding]:
    """Find the value by which each step's graph contains those of the steps before."""
    for calls in _calls_by_line(facts):
        first, *_, before, last = calls
        carried = carried_into(last.graph, _sequence_of(facts, before))
        sizes = [len(capture.graph) for capture in calls]
        is_deep = carried_into(last.graph, _sequence_of(facts, first)) is not None
        if facts.failure is not None or carried is None or not is_deep or sizes[0] >= sizes[-1]:
            continue
        source = carried.source
        name = _held_as(facts, source.place) or name_of(source)
        listed = ", ".join(f"{size:,}" for size in sizes)
        taken_at = carried.taker.place if carried.taker.place != source.place else None
        yield Finding(
            message=f"each backward goes through the graphs of all those before it: {name} takes "
            "them along",
            evidence=(f"nodes of the first {len(sizes)} graphs: {listed}",),
            repair=f"detach it between steps: {name} = {name}.detach()",
            place=source.place,
            tensors=(name,),
            related=related(
                *((place, "called from here") for place in source.stack[1:2]),
                (taken_at, "took it into a later step"),
                (last.about.place, "backward goes through all of them"),
            ),
        )
    yield from _grown_unseen(facts)


def _grown_unseen(facts: Facts) -> Iterator[Finding]:
    """Find a state that takes its graph along from step to step, though no backward comes by."""
    for held in _growing(facts):
        if not _is_number(held):
            yield Finding(
                message=f"{held.name} is computed from its own earlier value with its graph, and "
                f"contains the graphs of {held.steps} steps",
                evidence=(f"{held.name} {held.spec} requires grad: made by {held.node}",),
                repair="update it under torch.no_grad(), or from detached values",
                place=held.made,
                tensors=(held.name,),
                related=related(*((place, "called from here") for place in held.stack[1:2])),
            )


def _calls_by_line(facts: Facts) -> Iterator[list[Capture]]:
    """Give the captures of each line that called backward in several steps, one for each.

    A derivative that is asked for, and one to be differentiated again, is a part of its step: an
    unrolled loop goes through more of them each time.
    """
    asked = {one.number for one in facts.events if one.kind is EventKind.GRAD or one.creates}
    lines: dict[Place | None, dict[int, Capture]] = {}
    for capture in facts.captures:
        if capture.about.number not in asked:
            of_line = lines.setdefault(capture.about.place, {})
            of_line.setdefault(_steps_before(facts, capture), capture)
    several = ((place, list(calls.values())) for place, calls in lines.items())
    return (calls for place, calls in several if place is not None and len(calls) >= _HABIT)


def _steps_before(facts: Facts, capture: Capture) -> int:
    """Count what ended a step before a call: autograd.grad does not, it may be called in turn."""
    at = _sequence_of(facts, capture)
    ends = {EventKind.BACKWARD, EventKind.STEP}
    return sum(one.kind in ends and one.sequence < at for one in facts.events)


def _sequence_of(facts: Facts, capture: Capture) -> int:
    """Give autograd's number at the time of a capture."""
    numbers = (one.sequence for one in facts.events if one.number == capture.about.number)
    return next(numbers, -1)


def create_graph_in_grad(facts: Facts) -> Iterator[Finding]:
    """Find gradients that backward(create_graph=True) has left in .grad with their graph."""
    made = [one for one in facts.events if one.kind is EventKind.BACKWARD and one.creates]
    if made and facts.gradients:
        yield Finding(
            message="backward(create_graph=True) leaves gradients in .grad that have a graph: "
            "parameter, gradient and graph keep each other alive",
            evidence=(f"{facts.gradients[0].name} requires grad: {facts.gradients[0].node}",),
            repair="use torch.autograd.grad(loss, parameters, create_graph=True), or set .grad to "
            "None after use",
            place=made[-1].place,
            tensors=tuple(one.name.removesuffix(".grad") for one in facts.gradients),
            marked="create_graph=True",
        )


def grad_carries_graph(facts: Facts) -> Iterator[Finding]:
    """Find a .grad that the program has set to something with a graph."""
    made = [one for one in facts.events if one.kind is EventKind.BACKWARD and one.creates]
    if facts.gradients and not made:
        first = facts.gradients[0]
        sources = Sources(facts.start)
        assigned = _assigned_to_grad(sources, _files(facts, facts.gradients))
        yield Finding(
            message=f"{first.name} requires grad: it keeps the graph that it was computed by",
            evidence=(f"{first.name} {first.spec}: made by {first.node}",),
            repair="assign a detached gradient: p.grad = g.detach()",
            place=assigned or first.made,
            tensors=tuple(one.name.removesuffix(".grad") for one in facts.gradients),
            related=related((first.made, "the gradient was computed here")) if assigned else (),
        )


def _step_of(facts: Facts, held: LiveTensor) -> int:
    """Tell in which step a tensor was made: of each, backward or step() is the end."""
    if held.step:
        return held.step
    steps = [one.sequence for one in facts.events if one.kind is EventKind.STEP]
    ends = steps or [one.sequence for one in facts.events]
    return 1 + sum(end <= held.sequence for end in ends)


def _stored_at(facts: Facts, container: str, tensors: Sequence[LiveTensor]) -> Place | None:
    """Find the line that stores into a container."""
    sources = Sources(facts.start)
    for file in _files(facts, tensors):
        tree = sources.tree(file)
        statement = stores_into(tree, container) if tree is not None else None
        if statement is not None:
            return Place(file, statement.lineno, "")
    return None


def _files(facts: Facts, tensors: Sequence[LiveTensor]) -> list[str]:
    """List the files of the program that the facts tell of, those of these tensors first."""
    places = [place for one in tensors for place in one.stack]
    places += [one.place for one in facts.events if one.place is not None]
    return list(dict.fromkeys(place.file for place in places))


def _assigned_to_grad(sources: Sources, files: Sequence[str]) -> Place | None:
    for file in files:
        tree = sources.tree(file)
        for node in ast.walk(tree) if tree is not None else ():
            targets = node.targets if isinstance(node, ast.Assign) else ()
            if any(isinstance(one, ast.Attribute) and one.attr == "grad" for one in targets):
                is_none = isinstance(node.value, ast.Constant)  # type: ignore[attr-defined]
                if not is_none:
                    return Place(file, node.lineno, "")  # type: ignore[attr-defined]
    return None


def _held_as(facts: Facts, made: Place | None) -> str:
    return next((one.name for one in facts.held if one.made == made), "")


def _sizes(held: LiveTensor) -> list[int]:
    return [size if isinstance(size, int) else 2 for size in held.spec.shape]


RULES = (
    Rule(
        "accumulated_loss_graph",
        Severity.WARNING,
        "A running sum keeps the graph of every step",
        accumulated_loss_graph,
    ),
    Rule(
        "stored_tensor_keeps_graph",
        Severity.WARNING,
        "Stored tensors keep their graphs",
        stored_tensor_keeps_graph,
    ),
    Rule(
        "graph_grows_over_steps",
        Severity.ERROR,
        "Each step's graph contains those of the steps before",
        graph_grows_over_steps,
        explains=frozenset(["accumulated_loss_graph", "stored_tensor_keeps_graph"]),
    ),
    Rule(
        "create_graph_in_grad",
        Severity.WARNING,
        "backward(create_graph=True) leaves graphs in .grad",
        create_graph_in_grad,
    ),
    Rule(
        "grad_carries_graph",
        Severity.WARNING,
        "A .grad requires grad itself",
        grad_carries_graph,
    ),
)
