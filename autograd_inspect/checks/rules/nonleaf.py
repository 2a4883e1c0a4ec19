"""Tensors that should be leaves, and are the results of operations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from autograd_inspect.checks.cutting import UPDATING, trails
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.checks.written import rebound_name
from autograd_inspect.model.facts import EventKind, Facts, Learner
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

_STEPS = frozenset(["add", "sub", "subtract", "lerp", "addcmul", "addcdiv", "clamp", "clip",
                    "where", "renorm", "normalize"])  # fmt: skip
_REFUSED = "can't optimize a non-leaf Tensor"
_NO_PARAMETER = "as parameter"


def nonleaf_made_by_op(facts: Facts) -> Iterator[Finding]:
    """Find a result of an operation that an optimizer was given, or whose `.grad` was read."""
    sources = Sources(facts.start)
    for one in facts.learners:
        if one.is_leaf or one.born is None or not (one.holders or one.grad_read):
            continue
        if _is_update(one, facts, sources):
            continue
        name = one.name or "this tensor"
        given = one.holders[0].place if one.holders else None
        asked = "an optimizer was given it" if one.holders else "its .grad was read, and it is None"
        yield Finding(
            message=f"{name} is the result of an operation here, not a leaf: backward leaves no "
            "gradient in it",
            evidence=(f"{asked}, at {given or one.grad_read}",),
            repair="compute first and call requires_grad_() on the result, or make it a leaf with "
            ".detach().requires_grad_(); retain_grad() keeps the gradient of a result",
            place=one.born,
            tensors=(name,),
            related=related(
                (given, "the optimizer was given it here"),
                (None if given else one.grad_read, "its .grad was read here"),
            ),
            ends_run=_ends_run(facts, given or one.grad_read),
        )


def leaf_rebound(facts: Facts) -> Iterator[Finding]:
    """Find an update that binds the name of a leaf to a new tensor."""
    sources = Sources(facts.start)
    told = False
    for one in facts.learners:
        if one.is_leaf or one.born is None or not one.grad_read or one.holders:
            continue
        if _is_update(one, facts, sources):
            told = True
            yield _rebound(one.name or "this tensor", one.born, one.grad_read, facts)
    if not told:
        stopped = facts.failure is not None
        yield from (_stopped_by_update if stopped else _updated_in_vain)(facts, sources)


def _stopped_by_update(facts: Facts, sources: Sources) -> Iterator[Finding]:
    """Find the update that the program's own error is about."""
    assert facts.failure is not None
    for trail in trails(facts):
        if trail.kind not in UPDATING:
            continue
        name = rebound_name(sources, trail.place)
        if name and trail.place is not None and (trail.ends or _is_about_none(facts)):
            yield _rebound(name, trail.place, facts.failure.place, facts)
            return
    if _NO_PARAMETER in facts.failure.message and facts.failure.place is not None:
        name = rebound_name(sources, facts.failure.place)
        if name:
            yield _rebound(name, facts.failure.place, None, facts)


def _updated_in_vain(facts: Facts, sources: Sources) -> Iterator[Finding]:
    """Find updates of leaves that stay as they are, whose results nobody computes with."""
    still = {one.name: one for one in facts.learners if _stays(one)}
    nodes = (node for capture in facts.captures for node in capture.graph.nodes)
    used = {node.place for node in nodes if node.leaf is None}
    lines: dict[Place, list[str]] = {}
    for name, one in still.items():
        if one.taken is not None and one.taken not in used:
            lines.setdefault(one.taken, []).append(name)
    for cut in facts.captures[-1].graph.cuts if facts.captures else ():
        names = [name for name in cut.leaves if name in still]
        if cut.kind in UPDATING and cut.place is not None and names and not cut.uses:
            lines.setdefault(cut.place, []).extend(names)
    for place, names in lines.items():
        name = _rebinds(sources, place)
        if name:
            yield replace(_rebound(name, place, None, facts), tensors=tuple(dict.fromkeys(names)))


def _rebinds(sources: Sources, place: Place) -> str:
    """Name what the statement at a line adds to, or takes from, and binds anew."""
    statement = sources.statement(place)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.BinOp):
        return ""
    value, name = statement.value, ast.unparse(statement.targets[0])
    is_update = isinstance(value.op, ast.Sub | ast.Add) and ast.unparse(value.left) == name
    return name if is_update else ""


def _stays(one: Learner) -> bool:
    """Tell a leaf that backward calls went on leading to, and that nothing has moved."""
    return one.reached > 1 and one.requires_grad and not one.holders and not one.moved


def _rebound(name: str, place: Place, noticed: Place | None, facts: Facts) -> Finding:
    return Finding(
        message=f"{name} is bound to a new tensor here: the leaf that had the gradient is no "
        "longer what the next step computes with",
        evidence=(
            *(["the new one is no leaf, so it gets no .grad"] if noticed else []),
            *([f"the program noticed at {noticed}"] if noticed else []),
        ),
        repair="update in place: `with torch.no_grad(): w -= lr * w.grad`",
        place=place,
        tensors=(name,),
        related=related((noticed if noticed != place else None, "it was missed here")),
        ends_run=facts.failure is not None,
    )


def _is_update(one: Learner, facts: Facts, sources: Sources) -> bool:
    """Tell the result of a step of training from one that was computed before any."""
    first = next((event for event in facts.events if event.kind is not EventKind.STEP), None)
    late = first is not None and first.sequence >= 0 and one.born_at >= first.sequence
    return (late and bool(rebound_name(sources, one.born))) or (late and _assigns(sources, one))


def _assigns(sources: Sources, one: Learner) -> bool:
    """Tell an assignment to the tensor's own name or list, whatever it is computed of."""
    statement = sources.statement(one.born) if one.born is not None else None
    if not isinstance(statement, ast.Assign):
        return False
    root = one.name.partition("[")[0].partition(".")[0]
    parts = list(ast.walk(statement.value))
    if isinstance(statement.targets[0], ast.Subscript | ast.Attribute) and any(
        isinstance(part, ast.Attribute) and part.attr == "grad" for part in parts
    ):
        return True  # where the leaf is kept, what a step made of it and its gradient is put
    value = {part.id for part in parts if isinstance(part, ast.Name)}
    target = ast.unparse(statement.targets[0]).partition("[")[0].partition(".")[0]
    return target == root and root in value and any(map(_moves, parts))


def _moves(part: ast.AST) -> bool:
    """Tell what a step or its projection does to a tensor, which a resize or a cast does not."""
    if isinstance(part, ast.BinOp):
        return isinstance(part.op, ast.Add | ast.Sub)
    called = part.func if isinstance(part, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", "")) in _STEPS


def _is_about_none(facts: Facts) -> bool:
    failure = facts.failure
    return (
        failure is not None
        and failure.type in {"TypeError", "AttributeError"}
        and ("NoneType" in failure.message)
    )


def _ends_run(facts: Facts, place: Place | None) -> bool:
    failure = facts.failure
    if failure is None:
        return False
    return _REFUSED in failure.message or (_is_about_none(facts) and place in failure.places)


RULES = (
    Rule(
        "nonleaf_made_by_op",
        Severity.ERROR,
        "What an optimizer is given, or .grad is read of, is the result of an operation",
        nonleaf_made_by_op,
    ),
    Rule(
        "leaf_rebound",
        Severity.ERROR,
        "An update binds the name to a new tensor",
        leaf_rebound,
    ),
)
