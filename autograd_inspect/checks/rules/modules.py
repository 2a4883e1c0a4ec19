"""Modules and parameters that are one and should be two, or are two and should be one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from autograd_inspect.checks.bootstrapping import own_targets
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.checks.written import assigned
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.observed import Alias, Tie
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Node
from autograd_inspect.model.training import Fate

#: Parts of names for what is a copy that lags behind; those of them that also name something else,
#: such as a layer further on or the branch of a triplet.
_COPIES = re.compile(
    r"target|teacher|ema|momentum|slow|old|prev|frozen|reference|ref_|_ref|next|avg|average|shadow"
    r"|lagged|delayed|snapshot|behaviou?r|copy|backup|best|tgt|anchor"
)
_UNSURE = re.compile(r"prev|next|tgt|anchor")


def target_not_detached(facts: Facts) -> Iterator[Finding]:
    """Find gradients that go into a copy of the model which no optimizer moves, or a bootstrap."""
    yield from own_targets(facts)
    if facts.training is None:
        return
    by_hand = {one.name for one in facts.learners if one.taken is not None}
    for name, twin, fates in _idle_twins(facts.training.parameters):
        names = tuple(f"{name}.{fate.name[len(name) + 1 :]}" for fate in fates)
        if by_hand.issuperset(names):
            continue  # the program does something with these gradients itself
        place, call = _way_in(facts, name, set(names))
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


def _way_in(facts: Facts, name: str, names: set[str]) -> tuple[Place | None, Place | None]:
    """Find the line that takes the result of the copy: where the gradient turns into it."""
    for capture in facts.captures:
        leaves = {leaf.node.index for leaf in capture.graph.leaves if leaf.name in names}
        if leaves:
            entrance = _taker(capture, name) or _outermost(capture, leaves)
            return entrance.place if entrance is not None else None, capture.about.place
    return None, None


def _taker(capture: Capture, name: str) -> Node | None:
    """Find the first operation outside of a module's forward that takes what came of it."""
    nodes = list(capture.graph.nodes)
    inside = {node.index for node in nodes if _belongs_to(node, name)}
    takers = [
        node
        for node in nodes
        if node.index not in inside
        and any(edge.target is not None and edge.target.index in inside for edge in node.edges)
    ]
    return max(takers, key=lambda node: node.depth, default=None)


def _belongs_to(node: Node, name: str) -> bool:
    call = node.call if node.leaf is None else None
    owner = call.module.full_name if call is not None else ""
    return owner == name or owner.startswith(f"{name}.")


def _outermost(capture: Capture, leaves: set[int]) -> Node | None:
    """Find the node nearest to the loss below which nothing but these leaves lies."""
    below: dict[int, bool] = {}
    found: Node | None = None
    for node in sorted(capture.graph.nodes, key=lambda node: -node.depth):
        targets = [edge.target for edge in node.edges if edge.target is not None]
        if node.leaf is not None:
            below[node.index] = node.index in leaves
        else:
            below[node.index] = bool(targets) and all(below.get(t.index, False) for t in targets)
            found = node if below[node.index] else found
    return found


def aliased_module(facts: Facts) -> Iterator[Finding]:
    """Find a target network that is the online network itself."""
    for alias in facts.observed.aliases:
        place, copied = None, _copy_in(alias)
        if alias.is_copied:
            place, copied = _copied_shallowly(facts, alias)
        if not copied:
            continue
        twin = next(name for name in alias.names if name != copied)
        name, twin = (f"{alias.owner}.{one}" if alias.owner else one for one in (copied, twin))
        yield Finding(
            message=f"{name} and {twin} are one module: what moves one moves the other",
            evidence=("both names lead to the same parameters",),
            repair="make a copy: copy.deepcopy(model), or a second module",
            place=place or assigned(facts, copied, alias.file),
            tensors=(name, twin),
        )


def _copy_in(alias: Alias) -> str:
    """Give the name that promises something of its own, empty where none does."""
    copies = [name for name in alias.names if _is_copy(name)]
    if len(copies) < len(alias.names):
        return copies[0] if copies else ""
    return ""


def _copied_shallowly(facts: Facts, alias: Alias) -> tuple[Place | None, str]:
    """Find the line that made a copy with the very parts of what it copied."""
    for path in alias.names:
        place = assigned(facts, path.rpartition(".")[2], calls="copy")
        if place is not None:
            return place, path
    return None, ""


def _is_copy(name: str) -> bool:
    return _COPIES.search(_UNSURE.sub("", name.lower())) is not None


def weight_tying_broken(facts: Facts) -> Iterator[Finding]:
    """Find parameters that were tied, or began equal, and are two."""
    for tie in facts.observed.ties:
        first, second = tie.names
        yield Finding(
            message=f"{first} and {second} {_parted(tie)}",
            evidence=() if tie.equal else (f"they were tied at {tie.tied}",),
            repair="tie them last, after everything that makes new parameters: "
            "head.weight = embedding.weight",
            place=tie.broken or tie.tied,
            tensors=tie.names,
            related=related((None if tie.equal else tie.tied, "they were tied here")),
        )


def _parted(tie: Tie) -> str:
    if tie.shares:
        return "share their memory and are two parameters: each step moves the values twice"
    if tie.equal:
        return "began with equal values and are two parameters: they drift apart"
    return "were one parameter and are two now: they drift apart"


def inplace_aliases_skip(facts: Facts) -> Iterator[Finding]:
    """Find a variable that is used on although what it was handed to has overwritten its tensor."""
    sources = Sources(facts.start)
    for one in facts.observed.overwritten:
        if one.op.endswith("__setitem__"):
            continue  # an assignment to a part is no operation that happens to work in place
        call, use = sources.statement(one.called), sources.statement(one.used)
        if call is None or use is None:
            continue
        names = {one.variable}
        if one.is_list:
            names |= _taken_from(one.variable, sources.function(one.used))
        if not _is_kept(one.variable, names, call, use):
            continue
        what = f"what {one.variable} keeps" if one.is_list else one.variable
        yield Finding(
            message=f"{one.op} overwrites {what}, which is used again afterwards: the skip "
            "connection carries the new values",
            evidence=(
                (
                    f"{one.variable} was handed on at {one.called}, overwritten at {one.wrote}, "
                    f"and used again at {one.used}"
                ),
            ),
            repair="leave inplace=True off this operation, or hand on a clone()",
            place=one.wrote,
            tensors=(one.variable,),
            related=related(
                (one.called if one.called != one.wrote else None, "it is handed on here"),
                (one.used, "it is used here"),
            ),
        )


def _taken_from(variable: str, function: ast.AST | None) -> set[str]:
    """Name what is taken out of a list: `skip` of `skip = skips.pop()` and `for skip in skips`."""
    taken: set[str] = set()
    for one in ast.walk(function) if function is not None else ():
        match one:
            case ast.For(target=target, iter=source):
                pass
            case ast.Assign(targets=[target], value=ast.Call(func=source)):
                pass
            case ast.Assign(targets=[target], value=ast.Subscript(value=source)):
                pass
            case _:
                continue
        if _reads(source, {variable}):
            taken |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
    return taken


def _reads(node: ast.AST, names: set[str]) -> int:
    """Count where one of these variables is read."""
    return sum(isinstance(one, ast.Name) and one.id in names for one in ast.walk(node))


def _is_kept(variable: str, names: set[str], call: ast.stmt, use: ast.stmt) -> bool:
    """Tell whether a variable still stands for the old values after a call, and is read again.

    It is read by itself or by what was taken from it.
    """
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
    return _reads(use, names) > (1 if use is call else 0)


RULES = (
    Rule("target_not_detached", Severity.WARNING, "The bootstrap target carries gradient",
         target_not_detached),
    Rule("aliased_module", Severity.WARNING, "Target and online network are one object",
         aliased_module, frozenset(["target_not_detached"])),
    Rule("weight_tying_broken", Severity.WARNING, "Tied parameters became two",
         weight_tying_broken),
    Rule("inplace_aliases_skip", Severity.WARNING, "An in-place operation changes the skip",
         inplace_aliases_skip),
)  # fmt: skip
