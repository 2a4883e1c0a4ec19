"""Which modules are one, and what was frozen in name only."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from autograd_inspect.checking.ties import Ties
from autograd_inspect.model.observed import Alias, Misnomer
from autograd_inspect.run.files import relative_to
from autograd_inspect.tracing.contents import file_of
from autograd_inspect.tracing.expression import is_a
from autograd_inspect.tracing.frames import Scope
from autograd_inspect.tracing.names import search

#: Looks at the program's modules, each of which goes through all of its variables.
_LOOKS = 4
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


@dataclass(slots=True, eq=False)
class Modules:
    """Looks at the program's modules a few times."""

    start: Path
    aliases: dict[tuple[str, tuple[str, ...]], Alias] = field(default_factory=dict)
    misnomers: dict[tuple[str, str], Misnomer] = field(default_factory=dict)
    ties: Ties = field(init=False)
    may_be_unused: bool = False
    looks: int = 0
    _partly_frozen: weakref.WeakSet[nn.Module] = field(default_factory=weakref.WeakSet)

    def __post_init__(self) -> None:
        """Make what sees the parameters that modules share."""
        self.ties = Ties(self.start)

    def look(self, scopes: Sequence[Scope]) -> None:
        """Look at all modules that variables lead to."""
        if self.looks >= _LOOKS:
            return
        self.looks += 1
        for owner, cls, file, parts in _holders(scopes):
            self._find_aliases(owner, cls, file, parts)
        found = search(scopes)
        models = [
            {id(module): (name, module) for name, module in root.named_modules(prefix=path)}
            for path, root in found.modules.values()
        ]
        for name, module in {key: one for model in models for key, one in model.items()}.values():
            self._find_misnomers(name, module)
            # That of DistributedDataParallel.
            self.may_be_unused |= getattr(module, "find_unused_parameters", False) is True
        self._find_shallow_copies(list(found.modules.values()))
        self.ties.look(models, first=self.looks == 1)

    def _find_aliases(
        self, owner: str, cls: str, file: str, parts: Sequence[tuple[str, nn.Module]]
    ) -> None:
        groups: dict[tuple[object, ...], list[str]] = {}
        for name, module in parts:
            if isinstance(module, nn.Embedding):
                continue  # languages and ends of a model share these on purpose
            # Of one class: a head and an embedding that share a weight are tied.
            key = type(module), *(list(map(id, module.parameters())) or [id(module)])
            groups.setdefault(key, []).append(name)
        for names in groups.values():
            if len(names) > 1:
                shown = file if file.startswith("<") else relative_to(file, self.start)
                self.aliases[owner, tuple(names)] = Alias(owner, tuple(names), cls, shown)

    def _find_shallow_copies(self, modules: Sequence[tuple[str, nn.Module]]) -> None:
        """Find copies of a module that have its very parts, as `copy.copy` makes them."""
        first: dict[int, tuple[str, nn.Module]] = {}
        for path, module in modules:
            held = vars(module)
            parts = held["_modules"] or held["_parameters"]
            known, other = first.setdefault(id(parts), (path, module))
            if parts and other is not module:
                names = known, path
                self.aliases["", names] = Alias("", names, type(module).__name__, is_copied=True)

    def _find_misnomers(self, name: str, module: nn.Module) -> None:
        learning = tuple(n for n, p in module.named_parameters(prefix=name) if p.requires_grad)
        if len(learning) < len(list(module.parameters())):
            self._partly_frozen.add(module)  # the attribute may tell what was done, or part of it
        own = vars(module)
        for attribute in ("requires_grad", *_MISSPELT):
            is_thawed = module in self._partly_frozen
            if own.get(attribute, True) is False and learning and not is_thawed:
                self.misnomers[name, attribute] = Misnomer(name, attribute, True, learning)
        for short, parameter in module.named_parameters(recurse=False):
            for attribute in _MISSPELT & vars(parameter).keys():
                if vars(parameter)[attribute] is False and parameter.requires_grad:
                    full = f"{name}.{short}"
                    self.misnomers[full, attribute] = Misnomer(full, attribute, False, (full,))


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
        yield name, type(value).__name__, file_of(type(value)) or file, parts
