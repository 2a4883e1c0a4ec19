"""What a line of the program does, as far as its syntax tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.facts import Facts, LiveTensor
from autograd_inspect.model.places import Place

#: How functions begin that show what they are given, and whose functions do.
_SHOWING = ("print", "log", "writer", "plot", "add_scalar", "set_postfix", "info", "debug", "wandb")
_SHOWERS = ("logger", "logging", "writer", "wandb", "plot", "plt", "metric", "progress")


def tensors_at(
    sources: Sources, place: Place | None, tensors: Sequence[LiveTensor]
) -> list[LiveTensor]:
    """Give the tensors that a statement names, or that something it names leads to."""
    statement = sources.statement(place) if place is not None else None
    if statement is None:
        return []
    names = {ast.unparse(one) for one in _expressions(statement) if _is_path(one)}
    return [one for one in tensors if any(leads_to(name, one.name) for name in names)]


def leads_to(name: str, further: str) -> bool:
    """Tell whether a path is another's beginning: `model` of `model.weight`, `x` of `x[0]`."""
    rest = further.removeprefix(name)
    return further.startswith(name) and (not rest or rest[0] in ".[")


def written_to(sources: Sources, place: Place | None) -> str:
    """Give what a statement writes in place to: `x` for `x += 1`, `x[0] = 1` and `x.add_(1)`."""
    statement = sources.statement(place) if place is not None else None
    if statement is None:
        return ""
    found = next(_targets(statement), None)
    while isinstance(found, ast.Subscript):
        found = found.value
    return ast.unparse(found) if found is not None else ""


def _targets(statement: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(statement, ast.AugAssign):
        yield statement.target
    if isinstance(statement, ast.Assign):
        yield from (one for one in statement.targets if isinstance(one, ast.Subscript))
    # The innermost receiver of a chain is the one that is written to first.
    calls = [one for one in ast.walk(statement) if isinstance(one, ast.Call)]
    for call in reversed(calls):
        function = call.func
        if isinstance(function, ast.Attribute) and _is_in_place(function.attr):
            yield function.value
        yield from (word.value for word in call.keywords if word.arg == "out")


def _is_in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


def _expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    return (one for one in _nodes_of(statement) if isinstance(one, ast.expr))


def _nodes_of(statement: ast.stmt) -> Iterator[ast.AST]:
    """Go through a statement without the statements inside of it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.stmt)]


def _is_path(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.Attribute):
        return _is_path(node.value)
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)


_STORING = {
    "append",
    "appendleft",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
    "push",
    "put",
}


def container_of(name: str) -> str:
    """Give the container that a path goes into: `a.store` of `a.store['x'][0]`; empty for none."""
    before, bracket, _ = name.partition("[")
    return before if bracket else ""


def stores_into(tree: ast.Module, container: str) -> ast.stmt | None:
    """Find the statement that puts something into a container, which may go by `self` there."""
    name = container.rpartition(".")[2]
    found = [one for one in ast.walk(tree) if isinstance(one, ast.stmt) and _stores(one, name)]
    return found[0] if found else None


def _stores(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.AugAssign):
        return _base_name(statement.target) == name
    if isinstance(statement, ast.Assign):
        subscripts = [one for one in statement.targets if isinstance(one, ast.Subscript)]
        return any(_base_name(one) == name for one in subscripts)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        return call.func.attr in _STORING and _base_name(call.func.value) == name
    return False


def _base_name(node: ast.expr) -> str:
    """Give the name of what an expression goes into: `store` of `self.store[name]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def rebound_name(sources: Sources, place: Place | None) -> str:
    """Name what the statement at a line computes of itself and of a gradient; empty for nothing."""
    statement = sources.statement(place) if place is not None else None
    if not isinstance(statement, ast.Assign):
        return ""
    value = list(ast.walk(statement.value))
    used = {ast.unparse(one) for one in value if isinstance(one, ast.Name | ast.Attribute)}
    if not any("grad" in word.rpartition(".")[2] or word.startswith("g") for word in used):
        return ""
    for target in statement.targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        for part in parts:
            if ast.unparse(part) in used:
                return ast.unparse(part)
    return ""


def is_only_shown(sources: Sources, place: Place | None) -> bool:
    """Tell whether the statement at a line prints, plots or logs, and computes nothing."""
    statement = sources.statement(place) if place is not None else None
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    *owners, function = ast.unparse(statement.value.func).lower().split(".")
    return function.startswith(_SHOWING) or any(one.startswith(_SHOWERS) for one in owners)


def assigned(facts: Facts, name: str, file: str = "", calls: str = "") -> Place | None:
    """Find the line that assigns a variable or attribute of this name, and calls a function."""
    found = (place for place, one in assignments(facts, name, file) if _calls(one, calls))
    return next(found, None)


def assignments(
    facts: Facts, name: str, file: str = ""
) -> Iterator[tuple[Place, ast.Assign | ast.AnnAssign]]:
    """Give what assigns a variable or attribute of this name, with its line."""
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
                yield Place(one, node.lineno, function.name if function else "<module>"), node


def _calls(statement: ast.stmt, name: str) -> bool:
    functions = (one.func for one in ast.walk(statement) if isinstance(one, ast.Call))
    return not name or any(
        name in {getattr(function, "attr", None), getattr(function, "id", None)}
        for function in functions
    )


def _files(facts: Facts) -> set[str]:
    return {place.file for capture in facts.captures for place in capture.graph.places}
