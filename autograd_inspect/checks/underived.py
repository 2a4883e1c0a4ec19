"""Operations that are in the graph, and that autograd turns out to have no derivative of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autograd_inspect.checks.around import names_below
from autograd_inspect.checks.reading import failing, named, related
from autograd_inspect.model.facts import Facts, Failure
from autograd_inspect.model.findings import Finding
from autograd_inspect.model.rows import Node

_SAID = ("is not implemented", "is not differentiable with respect to argument")

#: `the derivative for 'igamma: input' is not implemented`, `derivative for aten::histc is not ...`,
#: `The function 'nll_loss' is not differentiable with respect to argument 'weight'`.
_TOLD = re.compile(r"(?:erivative for|function) '?(?:aten::)?_?([A-Za-z0-9]\w*)(?:: (\w+))?'?")

#: What autograd calls the node of an operation that it knows nothing of.
_UNKNOWN = "NotImplemented"


def underived(facts: Facts) -> Iterator[Finding]:
    """Find the operation whose derivative a backward asked for in vain."""
    failure = failing(facts, *_SAID)
    told = _TOLD.search(failure.message) if failure is not None else None
    if failure is None or told is None:
        return
    op, argument = told[1], told[2]
    node = _first_of(failure, facts, op)
    place = (node.place if node is not None else None) or failure.place
    with_respect = f" with respect to {argument}" if argument else ""
    leaves = tuple(dict.fromkeys(names_below(node))) if node is not None else ()
    asked = (failure.place, "the derivative was asked for here")
    yield Finding(
        message=f"{op} has no derivative{with_respect}, and it stands between the loss and "
        f"{named(leaves) or 'what requires grad'}",
        evidence=(f"autograd says: {failure.message.splitlines()[0]}",),
        repair="use an operation that has a derivative, or detach() what goes in if nothing is to "
        "learn through it",
        place=place,
        tensors=leaves,
        related=related(asked) if place != failure.place else (),
        marked=op,
        ends_run=True,
    )


def _first_of(failure: Failure, facts: Facts, op: str) -> Node | None:
    """Find the node that raised: of those that may have, the first that backward comes to."""
    if failure.capture < 0:
        return None
    nodes = facts.captures[failure.capture].graph.nodes
    named_so = [one for one in nodes if one.title.strip("_") == op or one.op == _UNKNOWN]
    return min(named_so, key=lambda one: one.depth, default=None)
