"""Which modules are one, which parameters are shared or no longer, what was frozen in name only."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from autograd_inspect.model.observed import Alias, Misnomer, Tie
from autograd_inspect.model.places import Place
from autograd_inspect.run.files import relative_to
from autograd_inspect.tracing.expression import is_a
from autograd_inspect.tracing.frames import Scope, calling_frame, line_at
from autograd_inspect.tracing.names import search

#: Looks at the program's modules, each of which goes through all of its variables.
_LOOKS = 4
#: Registrations remembered.
_MOST = 100_000
_MISSPELT = frozenset(
    [
        "require_grad",
        "requires_grads",
        "require_grads",
        "required_grad",
        "requiresgrad",
        "requires_gradient",
        "requires_gradients",
        "require_gradient",
        "required_grads",
        "trainable",
    ]
)


@dataclass(slots=True)
class _Registered:
    """That a module took a parameter; `successor` is what the module was later replaced by."""

    module: weakref.ref[nn.Module]
    name: str
    place: Place | None
    successor: weakref.ref[nn.Module] | None = None


@dataclass(slots=True, eq=False)
class Modules:
    """Looks at the program's modules a few times, and at each parameter that one registers."""

    start: Path
    aliases: dict[tuple[str, tuple[str, ...]], Alias] = field(default_factory=dict)
    misnomers: dict[tuple[str, str], Misnomer] = field(default_factory=dict)
    ties: dict[tuple[str, str], Tie] = field(default_factory=dict)
    looks: int = 0
    _registered: dict[int, tuple[weakref.ref[torch.Tensor], list[_Registered]]] = field(
        default_factory=dict
    )
    _of_module: dict[tuple[int, str], Place | None] = field(default_factory=dict)

    def begin(self) -> Any:
        """Begin to see registrations; gives what ends it."""
        ends = ExitStack()
        ends.callback(register_module_parameter_registration_hook(self._see).remove)
        ends.callback(register_module_module_registration_hook(self._see_replaced).remove)
        return ends.close

    def look(self, scopes: Sequence[Scope]) -> None:
        """Look at all modules that variables lead to."""
        if self.looks >= _LOOKS:
            return
        self.looks += 1
        for owner, cls, file, parts in _holders(scopes):
            self._find_aliases(owner, cls, file, parts)
        found = search(scopes)
        for path, root in found.modules.values():
            for name, module in root.named_modules(prefix=path):
                self._find_misnomers(name, module)
        self._find_ties({id(m): n for path, root in found.modules.values()
                         for n, m in root.named_modules(prefix=path)})  # fmt: skip

    def _see(self, module: nn.Module, name: str, parameter: Any) -> None:
        if not isinstance(parameter, torch.Tensor) or len(self._registered) >= _MOST:
            return
        place = line_at(calling_frame(), self.start)
        self._of_module[id(module), name] = place
        known = self._registered.get(id(parameter))
        if known is None or known[0]() is not parameter:
            known = self._registered[id(parameter)] = (weakref.ref(parameter), [])
        try:
            known[1].append(_Registered(weakref.ref(module), name, place))
        except TypeError:
            return

    def _see_replaced(self, owner: nn.Module, name: str, new: Any) -> None:
        """Note what takes the place of a module that holds a shared parameter."""
        old = vars(owner).get("_modules", {}).get(name)
        if old is None or old is new or not isinstance(new, nn.Module):
            return
        successors = dict(new.named_modules())
        for path, module in old.named_modules():
            for short, parameter in _own_parameters(module).items():
                for one in self._registered.get(id(parameter), (None, []))[1]:
                    if one.module() is module and one.name == short and path in successors:
                        one.successor = weakref.ref(successors[path])

    def _find_aliases(
        self, owner: str, cls: str, file: str, parts: Sequence[tuple[str, nn.Module]]
    ) -> None:
        groups: dict[tuple[int, ...], list[str]] = {}
        for name, module in parts:
            key = tuple(id(one) for one in module.parameters()) or (id(module),)
            groups.setdefault(key, []).append(name)
        for names in groups.values():
            if len(names) > 1:
                shown = file if file.startswith("<") else relative_to(file, self.start)
                self.aliases[owner, tuple(names)] = Alias(owner, tuple(names), cls, shown)

    def _find_misnomers(self, name: str, module: nn.Module) -> None:
        learning = tuple(n for n, p in module.named_parameters(prefix=name) if p.requires_grad)
        own = vars(module)
        for attribute in ("requires_grad", *_MISSPELT):
            if own.get(attribute, True) is False and learning:
                self.misnomers[name, attribute] = Misnomer(name, attribute, True, learning)
        for short, parameter in module.named_parameters(recurse=False):
            for attribute in _MISSPELT & vars(parameter).keys():
                if vars(parameter)[attribute] is False and parameter.requires_grad:
                    full = f"{name}.{short}"
                    self.misnomers[full, attribute] = Misnomer(full, attribute, False, (full,))

    def _find_ties(self, names: dict[int, str]) -> None:
        for reference, registered in self._registered.values():
            parameter = reference()
            if parameter is None or len(registered) < 2:
                continue
            self._judge_tie(parameter, registered, names)
        self._find_equals(names)

    def _judge_tie(
        self, parameter: torch.Tensor, registered: Sequence[_Registered], names: dict[int, str]
    ) -> None:
        now: dict[str, bool] = {}
        places: dict[str, Place | None] = {}
        for one in registered:
            module = one.module()
            if module is None or id(module) not in names:
                continue
            present = _own_parameters(module).get(one.name)
            if present is None:  # it was handed on to a parametrization, or given another name
                continue
            full = f"{names[id(module)]}.{one.name}"
            now[full] = present is parameter
            places[full] = self._of_module.get((id(module), one.name))
        kept = [name for name, same in now.items() if same]
        lost = [name for name, same in now.items() if not same]
        for one in registered if len(kept) == 1 else ():
            module = one.module()
            if module is None or id(module) not in names:
                self._find_replaced(parameter, one, kept[0], names, registered[-1].place)
        for name in lost if kept else ():
            self.ties[kept[0], name] = Tie((kept[0], name), registered[-1].place, places[name])

    def _find_replaced(
        self, parameter: torch.Tensor, gone: _Registered, kept: str, names: dict[int, str],
        tied: Place | None,
    ) -> None:  # fmt: skip
        """Find the module that took the place of one which is gone, and left a tie behind."""
        module = gone.successor() if gone.successor is not None else None
        other = _own_parameters(module).get(gone.name) if module is not None else None
        if other is None or other is parameter or other.shape != parameter.shape:
            return
        if id(module) in names:
            full = f"{names[id(module)]}.{gone.name}"
            place = self._of_module.get((id(module), gone.name))
            self.ties[kept, full] = Tie((kept, full), tied, place)

    def _find_equals(self, names: dict[int, str]) -> None:
        """Find an embedding and a linear layer that began with equal weights and are two."""
        if self.looks > 1:
            return
        owned: dict[tuple[int, ...], list[tuple[nn.Module, torch.Tensor]]] = {}
        seen: set[int] = set()
        for module in gc.get_objects():
            if not is_a(module, (nn.Embedding, nn.Linear)) or id(module) not in names:
                continue
            weight = _own_parameters(module).get("weight")  # pruned or normalised, it has none
            if weight is None or id(weight) in seen:
                continue
            if weight.dim() == 2 and weight.requires_grad and _is_varied(weight):
                seen.add(id(weight))
                owned.setdefault(tuple(weight.shape), []).append((module, weight))
        for pairs in owned.values():
            embeddings = [pair for pair in pairs if isinstance(pair[0], nn.Embedding)]
            for linear, one in pairs:
                for embedding, other in embeddings:
                    if isinstance(linear, nn.Linear) and torch.equal(one, other):
                        key = f"{names[id(embedding)]}.weight", f"{names[id(linear)]}.weight"
                        place = self._of_module.get((id(linear), "weight"))
                        self.ties[key] = Tie(key, None, place, equal=True)


def _is_varied(weight: torch.Tensor) -> bool:
    """Tell whether equal values say anything: two that began with zeros are not one."""
    return weight.numel() > 0 and not weight.is_meta and bool(weight.amin() != weight.amax())


def _own_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    return dict(module.named_parameters(recurse=False, remove_duplicate=False))


def _holders(
    scopes: Sequence[Scope],
) -> Iterator[tuple[str, str, str, list[tuple[str, nn.Module]]]]:
    """Give what holds modules in attributes or variables, with its class and the class's file."""
    seen: set[int] = set()
    for scope in scopes:
        if not scope.is_own:
            continue
        variables = list(scope.variables.items())
        file = scope.code.co_filename if scope.code is not None else ""
        file = file or str(scope.globals.get("__file__", ""))
        own = [(name, value) for name, value in variables if is_a(value, nn.Module)]
        yield "", "", file, [(name, value) for name, value in own if "_modules" in vars(value)]
        for name, value in variables:
            if id(value) not in seen and not name.startswith("__"):
                seen.add(id(value))
                yield from _attributes_of(name, value, file)


def _attributes_of(
    name: str, value: Any, file: str
) -> Iterator[tuple[str, str, str, list[tuple[str, nn.Module]]]]:
    if is_a(value, (type, torch.Tensor)):
        return
    held = getattr(value, "__dict__", None)
    if not isinstance(held, dict):
        return
    if is_a(value, nn.Module):
        if "_modules" not in held:
            return
        parts = [(key, one) for key, one in held["_modules"].items() if one is not None]
    else:
        parts = [(key, one) for key, one in held.items() if is_a(one, nn.Module)]
    if len(parts) > 1:
        yield name, type(value).__name__, _file_of(type(value)) or file, parts


def _file_of(cls: type) -> str:
    for one in vars(cls).values():
        code = getattr(one, "__code__", None)
        if code is not None:
            return str(code.co_filename)
    return ""
