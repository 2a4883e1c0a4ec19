"""Derivatives asked for that are none, or that nothing can be learned through."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.cutting import Trail, losses, trails
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.flow import Cut, CutKind
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Node, Root

#: What is said when a derivative is asked for that there is none of.
_UNUSED = "appears to not have been used in the graph"

#: What is said when autograd.grad has freed the graph that the loss needs as well.
_FREED = "backward through the graph a second time"

#: Operations through which a constant stays a constant beside the rest.
_ADDING = {"add", "sub", "rsub", "mean", "sum", "stack", "cat", "addcmul"}
#: Those whose result is the sum of what goes in, times a constant.
_SUMMING = {"sum", "mean", "select", "squeeze", "unbind"}
_SCALING = {"mul", "div", "neg", "squeeze", "unsqueeze", "view", "reshape", "select", "expand"}


def grad_wrt_new_view(facts: Facts) -> Iterator[Finding]:
    """Find a derivative asked with respect to a tensor that was made aside of what is derived."""
    failed = facts.failure is not None and _UNUSED in facts.failure.message
    for one in facts.learners:
        if one.missed is None or one.is_leaf or one.born is None:
            continue
        # Where nothing was refused, allow_unused may be meant for what other results are made of.
        if not (failed or one.base or one.came_after):
            continue
        source = f"{one.base}" if one.base else "its source"
        yield Finding(
            message=f"{one.name or 'a tensor'} is made of {source} here, but what is derived was "
            f"not computed from {one.name or 'it'}, so there is no derivative",
            evidence=(
                f"autograd.grad at {one.missed} asked for it, and the graph does not lead to it",
            ),
            repair="make the view first and compute from it, or derive with respect to "
            f"{one.base or 'the whole tensor'} and take the part of the gradient",
            place=one.born,
            tensors=(one.name,) if one.name else (),
            related=related((one.missed, "the derivative was asked for here")),
            ends_run=failed,
        )


def missing_create_graph(facts: Facts) -> Iterator[Finding]:
    """Find a gradient in a loss that nothing can be learned through, for it has no graph."""
    explained = {loss.trail.place: loss.lost for loss in losses(facts)}
    gradients = [one for one in trails(facts) if one.kind is CutKind.NO_CREATE_GRAPH]
    gradients = [one for one in gradients if _learns(one, facts)] or gradients
    others = {one.place for one in gradients}
    for trail in gradients:
        lost = explained.get(trail.place)
        # Where all that a loss is made of are gradients, the one that costs something is to blame.
        ends = trail.ends and not any(map(explained.get, others - {trail.place}))
        if lost is None and not (ends or _is_constant(trail, facts)):
            continue
        yield Finding(
            message=f"the gradient from {_called(trail)} has no graph, so what the loss computes "
            "of it is a constant, and no parameter learns from it",
            evidence=(
                f"it ran {trail.times}x without create_graph, and its result went into the loss",
            ),
            repair="pass create_graph=True to torch.autograd.grad, and compute with what it returns"
            if trail.name == "backward"
            else f"pass create_graph=True to {trail.op}",
            place=trail.place,
            tensors=lost or (),
            related=related(
                *((use.place, f"it went into {use.op} here") for use in trail.uses.values())
            )[:2],
            marked=trail.name,
            ends_run=facts.failure is not None and (trail.ends or _FREED in facts.failure.message),
        )


def _learns(trail: Trail, facts: Facts) -> bool:
    """Tell whether something that an optimizer moves was differentiated, not data alone."""
    return any(one.holders and one.name in trail.leaves for one in facts.learners)


def _called(trail: Trail) -> str:
    return "backward" if trail.name == "backward" else trail.op.removeprefix("torch.")


def _is_constant(trail: Trail, facts: Facts) -> bool:
    """Tell whether the loss would be the same function without it, but for a constant.

    That is so where it only enters sums on the way to the root; and where it is the derivative of
    something that is itself a part of this loss, with respect to an input.
    """
    for capture in facts.captures:
        for cut in capture.graph.cuts:
            if cut.kind is CutKind.NO_CREATE_GRAPH and cut.place == trail.place and cut.reaches:
                nodes = [use.node for use in cut.uses if use.node is not None]
                if nodes and all(_only_adds(node) for node in nodes):
                    return True
                if _is_of_its_own_graph(cut, capture, facts):
                    return True
    return False


def _only_adds(node: Node) -> bool:
    """Tell whether all that happens from a node to the roots is that terms are added up."""
    users = _users(node.graph)
    if node.title not in _ADDING:
        return False
    waiting, seen = [node], {node.index}
    while waiting:
        one = waiting.pop()
        if one.title not in _ADDING | _SCALING:
            return False
        if one.title in _SCALING and sum(edge.target is not None for edge in one.edges) > 1:
            return False  # a product of two that learn
        fresh = [user for user in users.get(one.index, ()) if user.index not in seen]
        seen |= {user.index for user in fresh}
        waiting += fresh
    return True


def _users(graph: Graph) -> dict[int, list[Node]]:
    users: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for edge in node.edges:
            if edge.target is not None:
                users.setdefault(edge.target.index, []).append(node)
    return users


def _is_of_its_own_graph(cut: Cut, capture: Capture, facts: Facts) -> bool:
    """Tell whether what was derived, with respect to an input, is a part of the loss itself.

    As the solution of an equation is whose residual is the loss. A loss that was derived itself, as
    for an adversarial example, is something else: its derivative is meant to be a constant.
    """
    parts = {node.sequence for node in capture.graph.nodes if node.leaf is None}
    for other in facts.captures:
        about = other.about
        if about.call != "autograd.grad" or about.place != cut.place:
            continue
        if about.number >= capture.about.number:
            continue
        asked = [row for row in other.gradients if row.present]
        inputs = [row for row in asked if row.name not in _parameters(facts)]
        fields = [_field(root) for root in other.graph.roots]
        if inputs and any(one is not None and one.sequence in parts for one in fields):
            return True
    return False


def _field(root: Root) -> Node | None:
    """Give what was summed up to be derived; the root itself where it is no scalar.

    None where it is one that no sum made.
    """
    node = root.node
    while node.title in _SUMMING and len(node.edges) == 1 and node.edges[0].target is not None:
        node = node.edges[0].target
    if node is root.node and root.spec is not None and root.spec.shape == ():
        return None
    return node


def _parameters(facts: Facts) -> set[str]:
    return {one.name for one in facts.learners if one.is_parameter}


RULES = (
    Rule(
        "grad_wrt_new_view",
        Severity.ERROR,
        "A derivative by a fresh view that nothing used",
        grad_wrt_new_view,
    ),
    Rule(
        "missing_create_graph",
        Severity.ERROR,
        "A gradient without a graph went into a loss",
        missing_create_graph,
        explains=frozenset({"stale_graph_reused", "state_carries_graph"}),
    ),
)
