"""What several rules read from the facts in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.facts import Event, EventKind, Facts, Failure
from autograd_inspect.model.findings import Related
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Node, Saved

_VERSIONS = re.compile(r"\[torch\.\S+ \[([\d, ]*)\]\].*at version (\d+); expected version (\d+)")


def related(*lines: tuple[Place | None, str]) -> tuple[Related, ...]:
    """List the lines that are known, with what each did."""
    return tuple(Related(place, role) for place, role in lines if place is not None)


def named(names: Sequence[str], most: int = 3) -> str:
    """List names in a sentence, the last ones counted."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def failing(facts: Facts, *messages: str) -> Failure | None:
    """Give the error that the program died of, if its message has one of these parts."""
    failure = facts.failure
    if failure is None or not any(part in failure.message for part in messages):
        return None
    return failure


def name_of(node: Node) -> str:
    """Name what a node put out, as the program does, else by its operation."""
    if node.leaf is not None:
        return node.leaf.name or f"a leaf {node.leaf.spec}"
    return node.variable or f"the result of {node.title}"


def name_of_saved(saved: Saved) -> str:
    """Name a saved tensor as the program does."""
    if saved.leaf is not None:
        return name_of(saved.leaf.node)
    if saved.origin is not None:
        return name_of(saved.origin)
    return f"its {saved.name}"


def events_since(facts: Facts, sequence: int) -> Iterator[Event]:
    """Give what the program did after a node with this sequence number was made, in order."""
    return (event for event in facts.events if event.sequence > sequence)


def event_between(facts: Facts, saved: Saved, kind: EventKind) -> Event | None:
    """Find what the program did at the line that overwrote a saved tensor, None for nothing."""
    write = saved.write
    if write is None or write.place is None:
        return None
    since = events_since(facts, saved.node.sequence)
    return next((one for one in since if one.kind is kind and one.place == write.place), None)


def unreached(facts: Facts) -> frozenset[str]:
    """Name what requires grad and got no gradient from any backward call that went well."""
    asked: set[str] = set()
    got: set[str] = set()
    for capture in facts.captures:
        if capture.about.backward is Backward.FAILED:
            continue
        for row in capture.gradients:
            if row.present:
                got.add(row.name)
            elif row.reason in {Reason.NOT_REACHED, Reason.NOTHING_FLOWED}:
                asked.add(row.name)
    return frozenset(asked - got)


def overwritten(facts: Facts) -> Iterator[tuple[Capture, Saved, str]]:
    """Find the saved tensor that a failed backward complained of, with the versions it named."""
    failure = facts.failure
    if failure is None or "modified by an inplace operation" not in failure.message:
        return
    if failure.capture < 0:
        return
    capture = facts.captures[failure.capture]
    stale = [one for node in capture.graph.nodes for one in node.saved if one.stale]
    told = _VERSIONS.search(failure.message)
    if told:
        shape = tuple(int(size) for size in told[1].split(",") if size.strip())
        stale = [one for one in stale if one.spec and one.spec.shape == shape] or stale
    # Backward runs from the latest node on, and the first that it cannot run is what it tells.
    if stale:
        versions = f": at version {told[2]}, saved at {told[3]}" if told else ""
        yield capture, max(stale, key=lambda one: one.node.sequence), versions
