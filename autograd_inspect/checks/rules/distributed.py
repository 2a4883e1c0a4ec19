"""What DistributedDataParallel asks of a graph: each parameter once, and all of them."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from autograd_inspect.checks.reading import failing, related, unreached
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.facts import Facts, Failure
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place
from autograd_inspect.model.tables import Kind

#: What DDP says of the parameter, by its name in the wrapped model.
_MARKED = re.compile(r"with name \.?(\S+) has been marked as ready twice")
_WRAPPERS = {"DistributedDataParallel", "DDP"}


def ddp_marked_ready_twice(facts: Facts) -> Iterator[Finding]:
    """Explain a parameter whose gradient comes in parts, each of which DDP takes for the whole."""
    failure = failing(facts, "Expected to mark a variable ready only once")
    if failure is None:
        return
    places = Counter(
        node.place
        for capture in facts.captures
        for node in capture.graph.nodes
        if node.kind is Kind.CHECKPOINT and node.place is not None
    )
    place, times = places.most_common(1)[0] if places else (None, 0)
    calls = f"{place} ran {times} reentrant checkpoints" if place else ""
    outside = None if place else _used_outside(facts, failure)
    if outside is not None:
        yield _outside(failure, *outside)
        return
    yield Finding(
        message="a parameter gets its gradient in several parts, and DistributedDataParallel takes "
        "the first for the whole"
        + (
            ": each reentrant checkpoint runs a backward of its own, so what two of them use is "
            "ready twice"
            if place
            else ""
        ),
        evidence=(calls,) if calls else (),
        repair="checkpoint(..., use_reentrant=False)"
        if place
        else "use each parameter in one forward of the wrapped model for each backward",
        place=place or failure.place,
        related=related((failure.place, "backward was called here")) if place else (),
        ends_run=True,
    )


def _used_outside(facts: Facts, failure: Failure) -> tuple[str, Place] | None:
    """Find the line at which the parameter is used that no module of the model contains."""
    told = _MARKED.search(failure.message)
    if told is None or failure.capture < 0:
        return None
    graph = facts.captures[failure.capture].graph
    for node in sorted(graph.nodes, key=lambda one: -one.sequence):
        if node.call is None and node.place is not None:
            for edge in node.edges:
                leaf = edge.target.leaf if edge.target is not None else None
                if leaf is not None and f".{leaf.name}".endswith(f".{told[1]}"):
                    return leaf.name, node.place
    return None


def _outside(failure: Failure, name: str, place: Place) -> Finding:
    return Finding(
        message=f"{name} is used outside of the forward of the wrapped model: "
        "DistributedDataParallel took it for unused, and then its gradient came all the same",
        evidence=("no call of a module contains this use of it",),
        repair="compute this in the model's forward, or leave out find_unused_parameters=True",
        place=place,
        tensors=(name,),
        related=related((failure.place, "backward was called here")),
        ends_run=True,
    )


def unused_under_ddp(facts: Facts) -> Iterator[Finding]:
    """Explain parameters that DDP waited for in vain."""
    failure = failing(facts, "Expected to have finished reduction in the prior iteration")
    if failure is None:
        return
    lost = sorted(unreached(facts))
    wrapped = _wrapped_at(facts, failure)
    yield Finding(
        message="DistributedDataParallel waits for the gradient of every parameter, and "
        f"{', '.join(lost[:3]) or 'some'} had no part in the loss",
        evidence=tuple(f"{name}: not reached from the loss" for name in lost[:4]),
        repair="let every parameter take part in the loss, or pass find_unused_parameters=True",
        place=wrapped or failure.place,
        tensors=tuple(lost),
        related=related((failure.place, "the next forward found it out")) if wrapped else (),
        ends_run=True,
    )


def _wrapped_at(facts: Facts, failure: Failure) -> Place | None:
    """Find the line that wraps the model."""
    sources = Sources(facts.start)
    for file in dict.fromkeys(place.file for place in failure.places):
        tree = sources.tree(file)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Call) and _last_name(node.func) in _WRAPPERS:
                return Place(file, node.lineno, "")
    return None


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


RULES = (
    Rule(
        "ddp_marked_ready_twice",
        Severity.ERROR,
        "A parameter's gradient is ready twice under DistributedDataParallel",
        ddp_marked_ready_twice,
    ),
    Rule(
        "unused_parameter",
        Severity.ERROR,
        "A parameter has no part in the loss",
        unused_under_ddp,
    ),
)
