"""Parameters that two modules share, and what became of them."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from autograd_inspect.model.observed import Tie
from autograd_inspect.model.places import Place
from autograd_inspect.tracing.frames import calling_frame, line_at

#: Registrations remembered.
_MOST = 100_000

_Mark = tuple[int, Place | None]
"""When something was registered, in the order of all registrations, and by which line."""

_NEVER: _Mark = (-1, None)

Named = Mapping[int, tuple[str, nn.Module]]
"""The modules of a model, with their names, by `id`."""


@dataclass(slots=True, eq=False)
class _Homes:
    """A module, and the modules that it was made a part of, with the attribute."""

    module: weakref.ref[nn.Module]
    of: list[tuple[weakref.ref[nn.Module], str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Slot:
    """Where a module registered a parameter; `cls` is the module's class."""

    homes: _Homes
    cls: type
    name: str
    mark: _Mark


@dataclass(frozen=True, slots=True)
class _Filled:
    """What is in a slot now, and what put it there."""

    name: str
    parameter: torch.Tensor
    mark: _Mark


@dataclass(slots=True, eq=False)
class Ties:
    """Sees each parameter and module that a module registers; later looks which are still one."""

    start: Path
    found: dict[tuple[str, str], Tie] = field(default_factory=dict)
    _slots: dict[int, tuple[weakref.ref[torch.Tensor], list[_Slot]]] = field(default_factory=dict)
    _tied: list[list[_Slot]] = field(default_factory=list)
    _homes: dict[int, _Homes] = field(default_factory=dict)
    _marks: dict[tuple[int, str], _Mark] = field(default_factory=dict)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def begin(self) -> Callable[[], None]:
        """Begin to see registrations; gives what ends it."""
        hooks: tuple[Any, ...] = (
            register_module_parameter_registration_hook(self._see_parameter),
            register_module_module_registration_hook(self._see_module),
        )

        def end() -> None:
            for hook in hooks:
                hook.remove()

        return end

    def look(self, models: Iterable[Named], *, first: bool) -> None:
        """Look at what was tied; what began equal, only before anything was trained."""
        models = list(models)
        modules = {key: one for model in models for key, one in model.items()}
        for slots in self._tied:
            filled = [self._filled(slot, modules) for slot in slots]
            self._judge([one for one in filled if one is not None], slots[1].mark)
        for model in models if first else ():
            self._find_equals(model)
            self._find_shared_memory(model)

    def _see_parameter(self, module: nn.Module, name: str, parameter: Any) -> None:
        if not isinstance(parameter, torch.Tensor) or len(self._slots) >= _MOST:
            return
        mark = self._mark(module, name)
        known = self._slots.get(id(parameter))
        if known is None or known[0]() is not parameter:
            known = self._slots[id(parameter)] = (weakref.ref(parameter), [])
        known[1].append(_Slot(self._homes_of(module), type(module), name, mark))
        if len(known[1]) == 2:  # from now on it is shared
            self._tied.append(known[1])

    def _see_module(self, parent: nn.Module, name: str, module: Any) -> None:
        if isinstance(module, nn.Module) and len(self._homes) < _MOST:
            self._mark(parent, name)
            self._homes_of(module).of.append((weakref.ref(parent), name))

    def _mark(self, module: nn.Module, name: str) -> _Mark:
        mark = next(self._order), line_at(calling_frame(), self.start)
        self._marks[id(module), name] = mark
        return mark

    def _homes_of(self, module: nn.Module) -> _Homes:
        known = self._homes.get(id(module))
        if known is None or known.module() is not module:
            known = self._homes[id(module)] = _Homes(weakref.ref(module))
        return known

    def _filled(self, slot: _Slot, modules: Named) -> _Filled | None:
        """Tell what is where a parameter was registered: in its module, or that in its stead."""
        module, mark = slot.homes.module(), _NEVER
        if module is None or id(module) not in modules:
            module, mark = self._instead(slot, modules)
        parameter = _own(module).get(slot.name) if module is not None else None
        if module is None or parameter is None or id(module) not in modules:
            return None
        later = max(mark, self._marks.get((id(module), slot.name), mark), key=lambda one: one[0])
        return _Filled(f"{modules[id(module)][0]}.{slot.name}", parameter, later)

    def _instead(self, slot: _Slot, modules: Named) -> tuple[nn.Module | None, _Mark]:
        """Find the module of the same class that took the place of one which is gone."""
        for reference, attribute in reversed(slot.homes.of):
            parent = reference()
            if parent is not None and id(parent) in modules:
                module = getattr(parent, attribute, None)
                if isinstance(module, nn.Module) and type(module) is slot.cls:
                    return module, self._marks.get((id(parent), attribute), _NEVER)
        return None, _NEVER

    def _judge(self, filled: list[_Filled], tied: _Mark) -> None:
        """Note two that were one."""
        for one, other in itertools.pairwise(filled):
            if one.parameter is other.parameter or one.parameter.shape != other.parameter.shape:
                continue
            broken = max(one.mark, other.mark, key=lambda mark: mark[0])
            self.found[one.name, other.name] = Tie((one.name, other.name), tied[1], broken[1])

    def _find_equals(self, modules: Named) -> None:
        """Find an embedding and a linear layer that began with equal weights and are two."""
        kinds: dict[type, list[tuple[str, nn.Module, torch.Tensor]]] = {}
        for name, module in modules.values():
            weight = _own(module).get("weight")
            if weight is not None and weight.requires_grad:
                kinds.setdefault(type(module), []).append((name, module, weight))
        pairs = itertools.product(kinds.get(nn.Embedding, ()), kinds.get(nn.Linear, ()))
        for (name, embedding, first), (other, linear, second) in pairs:
            if first is not second and _are_equal(first, second):
                self._note((name, embedding, "weight"), (other, linear, "weight"))

    def _find_shared_memory(self, modules: Named) -> None:
        """Find two parameters that learn, with the same values in memory."""
        first: dict[object, tuple[torch.Tensor, tuple[str, nn.Module, str]]] = {}
        for name, module in modules.values():
            for short, parameter in _own(module).items():
                memory = _memory_of(parameter)
                known, its = first.setdefault(memory, (parameter, (name, module, short)))
                if memory is not None and known is not parameter:
                    self._note(its, (name, module, short), shares=True)

    def _note(
        self,
        first: tuple[str, nn.Module, str],
        second: tuple[str, nn.Module, str],
        *,
        shares: bool = False,
    ) -> None:
        """Note two that were never one parameter; the line is that which made the later one."""
        ends = first, second
        names = f"{first[0]}.{first[2]}", f"{second[0]}.{second[2]}"
        marks = [self._marks.get((id(module), short), _NEVER) for _, module, short in ends]
        place = max(marks, key=lambda mark: mark[0])[1]
        self.found.setdefault(names, Tie(names, None, place, equal=True, shares=shares))


def _own(module: nn.Module) -> dict[str, nn.Parameter]:
    return dict(module.named_parameters(recurse=False, remove_duplicate=False))


def _are_equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Tell weights that were copied from others, not set to the same number."""
    if one.is_meta or other.is_meta or one.shape != other.shape or not one.numel():
        return False
    if one.device != other.device or not torch.equal(one, other):
        return False
    return bool((one != one.flatten()[0]).any())


def _memory_of(parameter: torch.Tensor) -> object:
    """Tell where the values of a parameter that learns are; None where that is not known."""
    if type(parameter) is not nn.Parameter or not parameter.requires_grad:
        return None
    if parameter.layout is not torch.strided or not parameter.numel() or parameter.is_meta:
        return None
    return parameter.device, parameter.data_ptr(), parameter.numel()
