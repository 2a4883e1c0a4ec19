"""Modules and parameters that are one and should be two, or are two and should be one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Node
from autograd_inspect.model.training import Fate

#: Parts of names for what is a copy that lags behind.
_COPIES = re.compile(
    r"target|teacher|ema|momentum|slow|old|prev|frozen|reference|ref_|_ref|next|avg|average|shadow"
    r"|lagged|delayed|snapshot|behaviou?r|copy|backup|best|tgt|anchor"
)


def target_not_detached(facts: Facts) -> Iterator[Finding]:
    """Find gradients that go into a copy of the model which no optimizer moves."""
    if facts.training is None:
        return
    by_hand = {one.name for one in facts.learners if one.taken is not None}
    for name, twin, fates in _idle_twins(facts.training.parameters):
        names = tuple(f"{name}.{fate.name[len(name) + 1 :]}" for fate in fates)
        if not by_hand.isdisjoint(names):
            continue  # the program does something with these gradients itself
        place, call = _way_in(facts, set(names))
        yield Finding(
            message=f"gradients flow into {name}, a copy of {twin} that no optimizer moves: its "
            "result is a target and should carry none",
            evidence=(
                (
                    f"gradients arrive at {len(fates)} of its parameters, in "
                    f"{max(fate.reached for fate in fates)} backward calls"
                ),
            ),
            repair="compute the target under torch.no_grad(), or detach() it",
            place=place,
            tensors=names,
            related=related((call, "backward was called here")),
        )


def _idle_twins(parameters: tuple[Fate, ...]) -> Iterator[tuple[str, str, list[Fate]]]:
    """Give models that get gradients and are in no optimizer, with one built alike that is."""
    shapes: dict[str, dict[str, Fate]] = {}
    for fate in parameters:
        parts = fate.name.split(".")
        for cut in range(1, len(parts)):
            owner = ".".join(parts[:cut])
            shapes.setdefault(owner, {})[".".join(parts[cut:])] = fate
    told: list[str] = []
    for name, own in shapes.items():
        idle = [f for f in own.values() if not f.is_held and f.requires_grad and f.reached]
        if len(idle) < len(own) or any(name.startswith(f"{one}.") for one in told):
            continue
        for twin, other in shapes.items():
            if twin != name and _alike(own, other) and all(f.is_held for f in other.values()):
                if twin.partition(".")[0] == name.partition(".")[0] and not _COPIES.search(name):
                    continue
                told.append(name)
                yield name, twin, idle
                break


def _alike(own: Mapping[str, Fate], other: Mapping[str, Fate]) -> bool:
    return own.keys() == other.keys() and all(own[k].shape == other[k].shape for k in own)


def _way_in(facts: Facts, names: set[str]) -> tuple[Place | None, Place | None]:
    """Find the line that takes the result of the copy: where the gradient turns into it."""
    for capture in facts.captures:
        leaves = {leaf.node.index for leaf in capture.graph.leaves if leaf.name in names}
        if leaves:
            return _entrance(capture, leaves), capture.about.place
    return None, None


def _entrance(capture: Capture, leaves: set[int]) -> Place | None:
    """Find the node nearest to the loss below which nothing but these leaves lies."""
    below: dict[int, bool] = {}
    entrance: Node | None = None
    order = sorted(capture.graph.nodes, key=lambda node: -node.depth)
    for node in order:
        targets = [edge.target for edge in node.edges if edge.target is not None]
        if node.leaf is not None:
            below[node.index] = node.index in leaves
        else:
            below[node.index] = bool(targets) and all(below.get(t.index, False) for t in targets)
        if below[node.index] and node.leaf is None:
            entrance = node
    if entrance is None:
        return None
    call = entrance
    # Of the nodes that belong to the copy alone, the first after its own forward.
    inside = [node for node in order if below[node.index] and node.leaf is None and node.call]
    if inside:
        outermost = inside[-1]
        lines = outermost.stack
        return lines[-1] if lines and call.call is not None else call.place
    return call.place


def aliased_module(facts: Facts) -> Iterator[Finding]:
    """Find a target network that is the online network itself."""
    for alias in facts.observed.aliases:
        copies = [name for name in alias.names if _COPIES.search(name.lower())]
        others = [name for name in alias.names if name not in copies]
        if not copies or not others:
            continue
        name = f"{alias.owner}.{copies[0]}" if alias.owner else copies[0]
        twin = f"{alias.owner}.{others[0]}" if alias.owner else others[0]
        yield Finding(
            message=f"{name} and {twin} are one module: what moves one moves the other",
            evidence=("both names lead to the same parameters",),
            repair="make a copy: copy.deepcopy(model)",
            place=_assigned(facts, copies[0], alias.file),
            tensors=(name, twin),
        )


def _assigned(facts: Facts, name: str, file: str = "") -> Place | None:
    """Find the line that assigns a variable or attribute of this name."""
    sources = Sources(facts.start)
    for one in [file] if file else sorted(_files(facts)):
        tree = sources.tree(one)
        for node in ast.walk(tree) if tree is not None else ():
            if not isinstance(node, ast.Assign | ast.AnnAssign):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flat = [each for target in targets for each in ast.walk(target)]
            if any(name in {getattr(t, "attr", None), getattr(t, "id", None)} for t in flat):
                function = sources.function(Place(one, node.lineno, ""))
                return Place(one, node.lineno, function.name if function else "<module>")
    return None


def _files(facts: Facts) -> set[str]:
    return {place.file for capture in facts.captures for place in capture.graph.places}


def weight_tying_broken(facts: Facts) -> Iterator[Finding]:
    """Find parameters that were tied, or began equal, and are two."""
    for tie in facts.observed.ties:
        first, second = tie.names
        yield Finding(
            message=f"{first} and {second} "
            + (
                "began with equal values and are two parameters: they drift apart"
                if tie.equal
                else "were one parameter and are two now: they drift apart"
            ),
            evidence=() if tie.equal else (f"they were tied at {tie.tied}",),
            repair="tie them last, after everything that makes new parameters: "
            "head.weight = embedding.weight",
            place=tie.broken or tie.tied,
            tensors=tie.names,
            related=related((None if tie.equal else tie.tied, "they were tied here")),
        )


def unintended_trainable(facts: Facts) -> Iterator[Finding]:
    """Find what was frozen in name only: a misspelt attribute, or one set on the module."""
    for one in facts.observed.misnomers:
        where = "a module, which knows no such attribute" if one.on_module else "a parameter"
        right = (
            f"call {one.holder}.requires_grad_(False)"
            if one.on_module
            else "set requires_grad, or call requires_grad_(False)"
        )
        yield Finding(
            message=f"{one.attribute} = False was set on {where}: {one.holder} goes on learning",
            evidence=(f"{len(one.parameters)} of its parameters require grad",),
            repair=right,
            place=_assigned(facts, one.attribute),
            tensors=one.parameters,
        )


def inplace_aliases_skip(facts: Facts) -> Iterator[Finding]:
    """Find a variable that is used on although what it was handed to has overwritten its tensor."""
    sources = Sources(facts.start)
    for one in facts.observed.overwritten:
        if one.op.endswith("__setitem__"):
            continue  # an assignment to a part is no operation that happens to work in place
        call, use = sources.statement(one.called), sources.statement(one.used)
        if call is None or use is None or not _is_kept(one.variable, call, use):
            continue
        yield Finding(
            message=f"{one.op} overwrites {one.variable}, which is used again afterwards: the skip "
            "connection carries the new values",
            evidence=(
                (
                    f"{one.variable} was handed on at {one.called}, overwritten at {one.wrote}, "
                    f"and used again at {one.used}"
                ),
            ),
            repair="leave inplace=True off this operation, or hand on a clone()",
            place=one.called,
            tensors=(one.variable,),
            related=related((one.wrote, "it is overwritten here"), (one.used, "it is used here")),
        )


def _is_kept(variable: str, call: ast.stmt, use: ast.stmt) -> bool:
    """Tell whether a variable still stands for the old values after a call, and is read again."""
    if not isinstance(call, ast.Assign | ast.AnnAssign | ast.Return):
        return False  # `relu_(x)` and `x += y` write on purpose
    if isinstance(call, ast.Return):
        if use is not call:
            return False  # the function is over
    else:
        targets = call.targets if isinstance(call, ast.Assign) else [call.target]
        written = (each for target in targets for each in ast.walk(target))
        if any(isinstance(one, ast.Name) and one.id == variable for one in written):
            return False  # as `x[0] = y` does
    reads = [n for n in ast.walk(use) if isinstance(n, ast.Name) and n.id == variable]
    return len(reads) > (1 if use is call else 0)


RULES = (
    Rule("target_not_detached", Severity.WARNING, "The bootstrap target carries gradient",
         target_not_detached),
    Rule("aliased_module", Severity.WARNING, "Target and online network are one object",
         aliased_module, frozenset(["target_not_detached"])),
    Rule("weight_tying_broken", Severity.WARNING, "Tied parameters became two",
         weight_tying_broken),
    Rule("inplace_aliases_skip", Severity.WARNING, "An in-place operation changes the skip",
         inplace_aliases_skip),
    Rule("unintended_trainable", Severity.WARNING, "Something meant frozen is trained",
         unintended_trainable),
)  # fmt: skip
