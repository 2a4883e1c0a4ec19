"""The places and modules of one capture, each kept once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from torch import nn

from autograd_inspect.autograd.details import Interned
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.recording.sites import OUTSIDE, Call, Line, Spot
from autograd_inspect.run.files import relative_to

#: Lines of the user's stack that are kept.
_STACK = 8

ModulePath = tuple[str, str]
"""The variable that leads to the outermost module, and the path from there."""

ModulePaths = Mapping[int, Sequence[ModulePath]]
"""By `id` of a module, the ways that lead to it."""


class Places:
    """The tables that stacks and modules are interned in, for one capture."""

    def __init__(self, paths: ModulePaths, start: Path) -> None:
        self.places: Interned[Place] = Interned()
        self.stacks: Interned[Stack] = Interned()
        self.modules: Interned[Module] = Interned()
        self._paths = {key: list(found) for key, found in paths.items()}
        self._start = start
        self._files: dict[str, str] = {}
        self._stack_of: dict[tuple[int, int], int] = {}
        self._module_of: dict[int, Module] = {}
        self._kept: list[object] = []  # so that the ids above stay their own

    def stack(self, spot: Spot) -> int:
        """Give the row of a spot's stack; -1 where nothing of the user's led there."""
        site, call = spot
        key = id(site), id(call)
        row = self._stack_of.get(key)
        if row is None:
            self._kept.append(spot)
            row = self._stack_of[key] = self._new_stack(spot)
        return row

    def module(self, call: Call) -> int:
        """Give the row of the module that was called; -1 outside of modules."""
        return -1 if call is OUTSIDE else self.modules[self.module_of(call)]

    def module_of(self, call: Call) -> Module:
        """Name the module that was called, if there are several ways to it by that of the call."""
        known = self._module_of.get(id(call))
        if known is None:
            self._kept.append(call)
            known = self._module_of[id(call)] = self._name(call)
        return known

    def _new_stack(self, spot: Spot) -> int:
        lines = list(lines_of(spot))[:_STACK]
        if not lines:
            library = next(_libraries(spot), None)
            return self.stacks[Stack((self._place(library),))] if library else -1
        inner = spot[0].library
        rows = tuple(map(self._place, lines))
        return self.stacks[Stack(rows, self._place(inner) if inner else -1)]

    def _place(self, line: Line) -> int:
        code, _, number = line
        file = self._files.get(code.co_filename)
        if file is None:
            file = self._files[code.co_filename] = relative_to(code.co_filename, self._start)
        return self.places[Place(file, number, code.co_name)]

    def _name(self, call: Call) -> Module:
        module = call.module() if call.module is not None else None
        parent = None if call.parent is OUTSIDE else self.module_of(call.parent)
        if module is None:
            return _beside(parent, call.cls)
        # A lazy module changes its class in its first call.
        cls = call.cls if hasattr(module, "original_name") else type(module).__name__
        if id(module) not in self._paths:
            self._learn(module, call, parent)
        paths = self._paths.get(id(module), [])
        below = [path for path in paths if parent is not None and _is_below(path, parent)]
        if not paths:
            return _beside(parent, cls)
        owner, path = (below or paths)[0]
        return Module(owner, path, cls)

    def _learn(self, module: nn.Module, call: Call, parent: Module | None) -> None:
        """Name a module that no variable of the program leads to: a part of one that called it."""
        if parent is None:
            for path, part in module.named_modules():
                self._paths.setdefault(id(part), []).append(("", path))
            return
        holder = call.parent.module() if call.parent.module is not None else None
        where = _place_in(holder, module) if holder is not None else ""
        if where:
            path = f"{parent.path}.{where}" if parent.path else where
            self._paths[id(module)] = [(parent.owner, path)]


def lines_of(spot: Spot) -> Iterator[Line]:
    """Go through the user's lines from the innermost outwards."""
    site, call = spot
    yield from site.lines
    while call is not OUTSIDE:
        yield from call.caller.lines
        call = call.parent


def _libraries(spot: Spot) -> Iterator[Line]:
    site, call = spot
    while True:
        if site.library is not None:
            yield site.library
        if call is OUTSIDE:
            return
        site, call = call.caller, call.parent


def _is_below(path: ModulePath, parent: Module) -> bool:
    owner, name = path
    return owner == parent.owner and (not parent.path or name.startswith(f"{parent.path}."))


def _beside(parent: Module | None, cls: str) -> Module:
    """Name a module by its class, where nothing leads to it."""
    if parent is None:
        return Module("", "", cls)
    return Module(parent.owner, f"{parent.path}.{cls}" if parent.path else cls, cls)


def _place_in(holder: nn.Module, module: nn.Module) -> str:
    """Find a module among the attributes of another, in a plain list or dict where it is in one."""
    found = next((path for path, part in holder.named_modules() if part is module), "")
    if found:
        return found
    for name, value in vars(holder).items():
        if value is module:
            return name
        if isinstance(value, dict | list | tuple):
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            for key, part in parts:
                if part is module:
                    return f"{name}[{key!r}]"
    return ""
