"""What the program calls its losses, its optimizers, and what holds a graph in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch import nn

from autograd_inspect.autograd._torch import made_by
from autograd_inspect.model.places import Place
from autograd_inspect.run.files import is_machinery
from autograd_inspect.tracing.expression import Expression, is_a, tensors_in
from autograd_inspect.tracing.frames import Scope, receiver, scopes_at, user_place
from autograd_inspect.tracing.names import Found, search

#: Frames of the program that tell one call from another.
_DEEP = 3
#: Calls whose names are remembered.
_MOST = 1000
#: Steps from a variable to what holds a graph: `sampler.episodes[0][0]['value']` is four.
_FAR = 5

Key = tuple[tuple[CodeType, int], ...]


class LossNames:
    """Names what backward is called on, once for each place that calls it."""

    def __init__(self, start: Path) -> None:
        self._start = start
        self._known: dict[Key, tuple[list[str], Place | None]] = {}

    def at(self, frame: FrameType, roots: Sequence[object]) -> tuple[list[str], Place | None]:
        """Name the roots of a call made at a frame, and tell its line."""
        key = _key(frame)
        known = self._known.get(key)
        if known is None or len(known[0]) != len(roots):
            with scopes_at(frame) as scopes:
                names = [variable_holding(root, scopes) for root in roots]
                if names == [""]:
                    names = [receiver(scopes)]
                known = [name or "loss" for name in names], user_place(scopes, self._start)
            if len(self._known) < _MOST:
                self._known[key] = known
        return known


def _key(frame: FrameType | None) -> Key:
    found: list[tuple[CodeType, int]] = []
    while frame is not None and len(found) < _DEEP:
        if not is_machinery(frame.f_code.co_filename):
            found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)


def variable_holding(value: object, scopes: Sequence[Scope]) -> str:
    """Name a variable that holds a value, or an attribute of one; empty where none does."""
    for scope in scopes:
        for name, held in list(scope.variables.items()):
            if held is value and not name.startswith("__"):
                return name
    for scope in scopes:
        for name, held in list(scope.variables.items()):
            for attribute, part in _attributes(held):
                if part is value:
                    return attribute if name == "self" else f"{name}.{attribute}"
    return ""


def _attributes(value: object) -> list[tuple[str, Any]]:
    try:
        return list(object.__getattribute__(value, "__dict__").items())
    except AttributeError:
        return []


def values_of(expression: Expression, scopes: Sequence[Scope]) -> tuple[float, ...] | None:
    """Give the numbers that an expression stands for, in a variable's or a module's namespace."""
    for scope in (*scopes, *_module_scopes(scopes, expression)):
        value = expression.value_or_none(scope)
        if is_a(value, (int, float)):
            return (float(value),)
        found = list(tensors_in(value).values())
        if found:
            return tuple(
                float(number)
                for tensor in found
                for number in tensor.detach().reshape(-1).to("cpu", torch.float64).tolist()
            )
    return None


def _module_scopes(scopes: Sequence[Scope], expression: Expression) -> Iterator[Scope]:
    """Give the modules of the program as namespaces, so that `layer2.weight` can be found."""
    first = expression.names[0] if expression.names else ""
    for _, root in search(scopes).modules.values():
        for module in root.modules():
            parts: dict[str, Any] = {**module._modules, **module._parameters, **module._buffers}
            if first in parts:
                yield Scope(parts, parts)


def graphs_held(scopes: Sequence[Scope]) -> dict[str, torch.Tensor]:
    """List what has a graph among all that variables and attributes of modules lead to."""
    found = search(scopes, _FAR)
    held: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for tensor in found.reached:
        if made_by(tensor) is not None and id(tensor) not in seen:
            seen.add(id(tensor))
            held[found.tensors[id(tensor)]] = tensor
    for name, tensor in kept_in_modules(found):
        if made_by(tensor) is not None and id(tensor) not in seen:
            seen.add(id(tensor))
            held[name] = tensor
    return held


def kept_in_modules(found: Found) -> Iterator[tuple[str, torch.Tensor]]:
    """Give the tensors that modules keep beside their parameters, with the way to each."""
    for path, root in found.modules.values():
        for inner, module in root.named_modules(prefix=path):
            yield from _kept_by(inner, module)


def _kept_by(path: str, module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in list(vars(module).items()):
        if name not in {"_parameters", "_modules"} and not is_a(value, (nn.Module, str, bool)):
            inner = "" if name == "_buffers" else f".{name}"
            for step, tensor in tensors_in(value).items():
                yield f"{path}{inner}{step}", tensor
