"""EXPR: where its names can be found, what it gives, and which tensors are in that."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import difflib
import inspect
from collections import UserDict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

import torch

from autograd_inspect.autograd._torch import made_by
from autograd_inspect.errors import ExpressionError
from autograd_inspect.tracing.frames import Scope

Kind = TypeVar("Kind")


class Expression:
    """A parsed EXPR.

    A *place* (`loss`, `self.loss`, `losses["g"][0]`, a tuple of such) only reads what is there, so
    it can be tried in any frame. Anything else computes, perhaps with random numbers or a change to
    a module, and is evaluated once.
    """

    def __init__(self, text: str) -> None:
        tree = ast.parse(text.strip(), mode="eval")
        self.text = text.strip()
        self.is_place = _is_place(tree.body)
        self._written_parts = _written_parts(tree.body)
        self._code = compile(tree, "<expression>", "eval")
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _binds(n)}
        bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}  # of a lambda
        names = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)]
        self.names = tuple(dict.fromkeys(n for n in names if n not in bound))

    def name_of(self, path: str) -> str:
        """Name the part of the value at `path`: `b` for the `[1]` of `a, b`."""
        for step, text in self._written_parts.items():
            if path.startswith(step):
                return text + path.removeprefix(step)
        return self.text + path

    def resolves_in(self, scope: Scope) -> bool:
        """Tell whether all names are bound there."""
        return not self.missing_in(scope)

    def missing_in(self, scope: Scope) -> list[str]:
        """List the names that are not bound there."""
        return [
            name
            for name in self.names
            if not (name in scope.variables or name in scope.globals or hasattr(builtins, name))
        ]

    def is_local_to(self, scope: Scope) -> bool:
        """Tell whether at least one name is a local variable there."""
        return scope.is_function and any(name in scope.variables for name in self.names)

    def value(self, scope: Scope) -> Any:
        """Evaluate in a scope; whatever it raises, it raises."""
        # One namespace: a lambda or comprehension in EXPR sees no separate locals.
        space = {**scope.globals, **scope.variables} if scope.is_function else scope.globals
        return eval(self._code, space)  # noqa: S307 - evaluating the user's own expression is the job

    def value_or_none(self, scope: Scope) -> Any:
        """Evaluate in a scope, None where that is not possible."""
        if not self.resolves_in(scope):
            return None
        try:
            return self.value(scope)
        except Exception:  # noqa: BLE001 - not a place in this frame, for whatever reason
            return None


def tensors_in(value: object) -> dict[str, torch.Tensor]:
    """Find the tensors in any nesting of containers, by their path from the value.

    Sequences, dictionaries (model outputs of transformers are such), dataclasses and named tuples
    are looked into; the path of a lone tensor is empty.
    """
    found: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    queue: list[tuple[str, object]] = [("", value)]
    for path, item in queue:
        if is_a(item, torch.Tensor):
            found.setdefault(path, item)
        elif id(item) not in seen:
            seen.add(id(item))
            queue.extend((path + step, part) for step, part in _parts(item))
    return found


def is_a(value: object, classes: type[Kind] | tuple[type[Kind], ...]) -> TypeGuard[Kind]:
    """Ask a value's type, not the value: `isinstance` wakes lazy proxies, which may raise."""
    return issubclass(type(value), classes)


def _parts(item: object) -> Iterator[tuple[str, object]]:
    if is_a(item, (dict, UserDict)):
        yield from ((f"[{key!r}]", part) for key, part in list(item.items()))
    elif is_a(item, tuple) and hasattr(item, "_fields"):
        yield from ((f".{name}", getattr(item, name)) for name in item._fields)
    elif is_a(item, (list, tuple, set, frozenset, deque)):
        yield from ((f"[{number}]", part) for number, part in enumerate(item))
    elif dataclasses.is_dataclass(kind := type(item)):
        fields = dataclasses.fields(kind)
        yield from ((f".{f.name}", getattr(item, f.name, None)) for f in fields)


def evaluate_at_end(expression: Expression, scopes: Sequence[Scope]) -> tuple[Any, Scope]:
    """Evaluate EXPR once the program has ended: in the scopes it died in, else in its globals.

    A plain function of the script without parameters is called. Raises ExpressionError in the
    user's words where EXPR fails.
    """
    scope = next((s for s in scopes if expression.resolves_in(s)), scopes[-1])
    missing = expression.missing_in(scope)
    if missing:
        raise ExpressionError(
            f"{expression.text}: nothing named {missing[0]!r} when the script ended",
            hint=_near(missing[0], scope),
        )
    try:
        value = expression.value(scope)
        if inspect.isfunction(value) and not _required_parameters(value):
            value = value()
    except Exception as error:
        raise failed(expression, error) from error
    return value, scope


def failed(expression: Expression, error: Exception) -> ExpressionError:
    """Say that an expression raised."""
    return ExpressionError(
        f"{expression.text}: {type(error).__name__}: {error}",
        hint="the expression is evaluated among the script's variables at its end",
    )


def graph_names(variables: Mapping[str, Any]) -> list[str]:
    """Name the variables that hold a tensor with a graph behind it."""
    return [
        name
        for name, value in list(variables.items())
        if isinstance(value, torch.Tensor) and made_by(value) is not None
    ]


def _near(name: str, scope: Scope) -> str:
    close = difflib.get_close_matches(name, list(scope.globals), n=3)
    having = [n for n in graph_names(scope.variables) if n not in close]
    words = []
    if close:
        words.append(f"did you mean {' or '.join(close)}?")
    if having:
        words.append(f"tensors with a graph: {', '.join(having[:8])}")
    if not words:
        words.append(
            "a name local to a function is found when backward is called in it; "
            "without :EXPR the first backward is traced"
        )
    return "; ".join(words)


def _required_parameters(function: Any) -> list[str]:
    return [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    ]


def kind_of(value: object) -> str:
    """Name what a value is, to follow a verb: `an int`."""
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _is_place(node: ast.expr) -> bool:
    if isinstance(node, ast.Name | ast.Constant):
        return True
    if isinstance(node, ast.Attribute):
        return _is_place(node.value)
    if isinstance(node, ast.Subscript):
        return _is_place(node.value) and _is_place(node.slice)
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(_is_place, node.elts))
    if isinstance(node, ast.Dict):
        return all(key is not None and _is_place(key) for key in node.keys) and all(
            map(_is_place, node.values)
        )
    return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)


def _written_parts(node: ast.expr) -> dict[str, str]:
    """Give the text of each part that a tuple, list or dict written out has, by the step to it."""
    match node:
        case ast.Tuple(elts) | ast.List(elts):
            return {f"[{number}]": ast.unparse(part) for number, part in enumerate(elts)}
        case ast.Dict(keys, values):
            pairs = zip(keys, values, strict=True)
            return {f"[{ast.unparse(key)}]": ast.unparse(part) for key, part in pairs if key}
    return {}


def _binds(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
