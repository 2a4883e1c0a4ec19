"""Custom Functions as they stand in the program."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.places import Place


@dataclass(frozen=True, slots=True)
class Written:
    """A custom Function as it stands in the program: its methods; `setup` is `setup_context`.

    is_operator  it is one of `torch.library`: forward has no ctx, backward is a function
    """

    file: str
    forward: ast.FunctionDef | None
    backward: ast.FunctionDef
    setup: ast.FunctionDef | None = None
    is_operator: bool = False

    def title(self, name: str) -> str:
        """Name the backward of the Function of this name."""
        return self.backward.name if self.is_operator else f"{name}.backward"

    def place(self, node: ast.AST) -> Place:
        """Give the place of something in backward."""
        return Place(self.file, getattr(node, "lineno", 0), "backward")

    @property
    def arguments(self) -> list[str]:
        """The names of what forward is given after ctx."""
        names = [one.arg for one in self.forward.args.args] if self.forward is not None else []
        return names if self.is_operator or self.setup is not None else names[1:]

    def kept(self, name: str) -> Place | None:
        """Find the line of forward that keeps something as this attribute of ctx."""
        for method in filter(None, (self.setup, self.forward)):
            for node in ast.walk(method):
                is_set = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
                if is_set and node.attr == name:  # type: ignore[attr-defined]
                    return Place(self.file, node.lineno, method.name)  # type: ignore[attr-defined]
        return None

    def giving(self, argument: str) -> Place | None:
        """Find the line of backward that computes one of several gradients; None if unclear.

        A name that is returned stands for the line that gives it its value, if only one does.
        """
        value = self.returns[-1].value if self.returns else None
        gradients = value.elts if isinstance(value, ast.Tuple) else []
        names = self.arguments
        if argument not in names[: len(gradients)]:
            return None
        found = gradients[names.index(argument)]
        used = [one.id for one in ast.walk(value or found) if isinstance(one, ast.Name)]
        if not isinstance(found, ast.Name) or used.count(found.id) > 1 or len(set(used)) == 1:
            return self.place(found)
        given = [one for one in ast.walk(self.backward) if _gives(one, found.id)]
        return self.place(given[0]) if len(given) == 1 else None

    @property
    def returns(self) -> list[ast.Return]:
        """What backward returns, in each of its ways."""
        found = [one for one in ast.walk(self.backward) if isinstance(one, ast.Return)]
        return sorted(found, key=lambda one: one.lineno)


def function_named(facts: Facts, name: str) -> Written | None:
    """Find a class by its name in the files that the program was seen in."""
    sources = Sources(facts.start)
    failure = facts.failure
    files = {place.file: None for place in failure.places} if failure is not None else {}
    for capture in facts.captures:
        files |= {place.file: None for place in capture.graph.places}
    for file in files:
        tree = sources.tree(file)
        classes = [one for one in ast.walk(tree) if isinstance(one, ast.ClassDef)] if tree else []
        by_name = {one.name: one for one in classes}
        backward = _method(by_name, name, "backward")
        if backward is not None:
            forward = _method(by_name, name, "forward")
            return Written(file, forward, backward, _method(by_name, name, "setup_context"))
        registered = _registered(tree, name) if tree else None
        if registered is not None:
            return Written(file, *registered, is_operator=True)
    return None


def _registered(
    tree: ast.Module, name: str
) -> tuple[ast.FunctionDef | None, ast.FunctionDef] | None:
    """Find what `register_autograd` was given for an operator of `torch.library`.

    name  torch's own for it: `GeneratedBackwardFor_mylib_scale_default` of "mylib::scale"
    """
    functions = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    operators = {
        one.name: one
        for one in functions.values()
        if any(_names_operator(decorator, name) for decorator in one.decorator_list)
    }
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and _last(call.func) == "register_autograd"):
            continue
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        named = [_last(one) for one in (owner, *call.args) if one is not None]
        given = [functions[one] for one in named if one in functions.keys() - operators.keys()]
        if given and (operators.keys() & named or _names_operator(call, name)):
            return next(iter(operators.values()), None), given[0]
    return None


def _names_operator(call: ast.expr, name: str) -> bool:
    """Tell whether a call is given the qualified name of an operator: `"mylib::scale"`."""
    given = [one.value for one in ast.walk(call) if isinstance(one, ast.Constant)]
    texts = [one.replace("::", "_") for one in given if isinstance(one, str) and "::" in one]
    return any(f"For_{text}_" in f"{name}_" for text in texts)


def _last(one: ast.expr) -> str:
    return one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "")


def _gives(node: ast.AST, name: str) -> bool:
    """Tell whether a statement gives a name its value, or a part of it another; None is none."""
    if isinstance(node, ast.AugAssign):
        return _named(node.target) == name
    if isinstance(node, ast.Assign):
        is_none = isinstance(node.value, ast.Constant)
        return not is_none and any(_named(one) == name for one in node.targets)
    return False


def _named(target: ast.expr) -> str:
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def _method(classes: dict[str, ast.ClassDef], name: str, method: str) -> ast.FunctionDef | None:
    """Find a method of a class, or of the classes that it is derived from."""
    seen = set()
    while name in classes and name not in seen:
        seen.add(name)
        cls = classes[name]
        for one in cls.body:
            if isinstance(one, ast.FunctionDef) and one.name == method:
                return one
        name = next((base.id for base in cls.bases if isinstance(base, ast.Name)), "")
    return None
