"""What the program calls its tensors.

A parameter is named by its path in the outermost live module that owns it, with the variable that
holds the module in front (`model.layer1.weight`); any other tensor by the variable, list, dict or
attribute that holds it. Names are looked for in the frames that lead to the backward call and in
the script's globals, nearest first.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import Node

from autograd_inspect.autograd._torch import GraphNode
from autograd_inspect.recording.places import ModulePath, ModulePaths
from autograd_inspect.tracing.contents import OPAQUE, contents_of, parts_of
from autograd_inspect.tracing.expression import is_a
from autograd_inspect.tracing.frames import Scope

#: How far from a variable a tensor is looked for: `trainer.state.nets["g"]` is three steps.
STEPS = 3
#: Where the search ends in a program that holds very many objects.
OBJECTS = 50_000

#: Where modules register what is theirs.
_REGISTERED = {"_parameters", "_modules", "_buffers"}

_WRAPPERS = {"DataParallel": "module.", "DistributedDataParallel": "module."}


@dataclass(slots=True)
class Found:
    """What a search came across: tensors and modules with the path that leads to each.

    `held` are tensors directly bound to a variable, by name, `reached` all that were come across;
    `made` are nodes, by the tensor that they made or by themselves, as the user's code calls them.
    `kept` is what a module keeps in a plain attribute, list or dict, where it does not register it:
    by `id`, the module and the attribute. `owners` are the variables that lead to such modules, by
    their `id`.
    """

    tensors: dict[int, str] = field(default_factory=dict)
    modules: dict[int, tuple[str, nn.Module]] = field(default_factory=dict)
    held: dict[str, torch.Tensor] = field(default_factory=dict)
    reached: list[torch.Tensor] = field(default_factory=list)
    made: dict[GraphNode, str] = field(default_factory=dict)
    kept: dict[int, tuple[nn.Module, str]] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)

    def add_tensor(self, path: str, tensor: torch.Tensor, *, direct: bool, own: bool) -> None:
        """Note a tensor; the first path that leads to it is its name."""
        self.tensors.setdefault(id(tensor), path)
        self.reached.append(tensor)
        if direct:
            self.held.setdefault(path, tensor)
        with suppress(RuntimeError):  # a view of what was overwritten may have lost its own
            if own and tensor.grad_fn is not None:
                self.made.setdefault(tensor.grad_fn, path)


@dataclass(frozen=True, slots=True)
class Named:
    """The names found: by `id` of the tensor, and per name for the tensors there is a row for.

    parameters  of every live outermost module that a variable leads to
    buffers     of these modules
    variables   tensors that a variable of the script holds directly
    reached     tensors that one leads to, through containers and attributes too
    aliases     by `id` of a parameter or buffer, its other paths, by commas
    made        nodes whose tensor, or which themselves, something leads to
    modules     the ways that lead to each module
    kept        tensors that a module keeps without registering them, by `id`: module, attribute
    """

    by_id: Mapping[int, str]
    parameters: Mapping[str, nn.Parameter]
    buffers: Sequence[torch.Tensor]
    variables: Mapping[str, torch.Tensor]
    reached: Sequence[torch.Tensor]
    aliases: Mapping[int, str]
    made: Mapping[GraphNode, str]
    modules: ModulePaths
    kept: Mapping[int, tuple[nn.Module, str]] = field(default_factory=dict)

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All tensors that may get a row of their own."""
        return [*self.parameters.values(), *self.variables.values()]


def find_names(scopes: Sequence[Scope], leaves: Sequence[torch.Tensor]) -> Named:
    """Name everything that the scopes lead to, and what they do not lead to among the leaves."""
    found = search(scopes)
    _look_into_modules(found)
    roots = outermost(found.modules.values())
    by_id = dict(found.tensors)
    parameters: dict[str, nn.Parameter] = {}
    buffers: list[torch.Tensor] = []
    ways: dict[int, list[str]] = {}
    missing = {id(leaf) for leaf in leaves if isinstance(leaf, nn.Parameter)}
    for path, module in roots:
        for name, tensor in members(path, module):
            by_id[id(tensor)] = _first(by_id.get(id(tensor)), name, parameters)
            ways.setdefault(id(tensor), []).append(name)
            if isinstance(tensor, nn.Parameter):
                parameters.setdefault(name, tensor)
            else:
                buffers.append(tensor)
    missing -= by_id.keys()
    if missing:
        by_id.update(_names_of_unreached(missing))
    named = _without_aliases(parameters, by_id)
    aliases = {
        key: ", ".join(name for name in names if name != by_id[key])
        for key, names in ways.items()
        if len(names) > 1
    }
    return Named(
        by_id=by_id,
        parameters=named,
        buffers=buffers,
        variables=found.held,
        reached=found.reached,
        aliases=aliases,
        made=found.made,
        modules=_paths(roots, found.owners),
        kept=_unregistered(found),
    )


def _look_into_modules(found: Found) -> None:
    """Find what modules keep in plain attributes, lists and dicts; modules among it, too."""
    waiting = list(found.modules.values())
    for path, root in waiting:
        for inner, module in root.named_modules(prefix=path):
            for name, value in list(vars(module).items()):
                if name in _REGISTERED or is_a(value, (nn.Module, str, bool)):
                    continue
                for step, part in contents_of(value):
                    found.kept.setdefault(id(part), (module, name))
                    way = f"{inner}.{name}{step}"
                    if is_a(part, torch.Tensor):
                        found.tensors.setdefault(id(part), way)
                    elif id(part) not in found.modules:
                        found.modules[id(part)] = (way, part)
                        found.owners[id(part)] = found.owners.get(id(root), path)
                        waiting.append((way, part))


def _unregistered(found: Found) -> dict[int, tuple[nn.Module, str]]:
    """Give what modules keep and no module that a variable leads to registers, parts included."""
    kept = dict(found.kept)
    for key, holder in found.kept.items():
        if key in found.modules:
            kept |= {id(one): holder for one in found.modules[key][1].parameters()}
    for key, (_, root) in found.modules.items():
        if key not in found.kept:
            for one in root.parameters():
                kept.pop(id(one), None)
    return kept


def search(scopes: Sequence[Scope], steps: int = STEPS) -> Found:
    """Look breadth first through variables, containers and attributes, so many steps deep."""
    found = Found()
    queue: list[tuple[str, Any, int, bool]] = []
    for variables, own in _spaces(scopes):
        queue.extend((name, v, 0, own) for name, v in variables if not name.startswith("__"))
    seen: set[int] = set()
    for path, value, step, own in queue:
        if is_a(value, OPAQUE):
            continue
        if is_a(value, torch.Tensor):
            found.add_tensor(path, value, direct=step == 0, own=own)
        elif own and is_a(value, Node):
            found.made.setdefault(value, path)
        elif is_a(value, nn.Module) and "_modules" in vars(value):  # not one half made
            best = found.modules.get(id(value))
            if best is None or best[0].partition(".")[0] == "self":
                found.modules[id(value)] = (path, value)
        elif id(value) not in seen and step < steps and len(queue) < OBJECTS:
            seen.add(id(value))
            queue.extend((path + by, part, step + 1, own) for by, part in parts_of(value))
    return found


def _paths(
    roots: Iterable[tuple[str, nn.Module]], owners: Mapping[int, str]
) -> dict[int, list[ModulePath]]:
    """List the ways that lead to each module, wrappers left out."""
    found: dict[int, list[ModulePath]] = {}
    for way, root in roots:
        owner = owners.get(id(root), way)
        inside = way.removeprefix(owner).removeprefix(".")
        prefix = _WRAPPERS.get(type(root).__name__, "")
        for name, module in root.named_modules(remove_duplicate=False):
            path = f"{name}.".replace("_orig_mod.", "").removeprefix(prefix).removesuffix(".")
            path = f"{inside}.{path}".strip(".")
            found.setdefault(id(module), []).append((owner, path))
    return found


def members(path: str, module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Give a module's parameters and buffers with their full names, every path of a tied one."""
    prefix = _WRAPPERS.get(type(module).__name__, "")
    for name, tensor in (
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ):
        yield f"{path}.{name.replace('_orig_mod.', '').removeprefix(prefix)}", tensor


def outermost(modules: Iterable[tuple[str, nn.Module]]) -> list[tuple[str, nn.Module]]:
    """Keep the modules that none of the others contains."""
    candidates = list(modules)
    inner = {
        id(part) for _, module in candidates for part in module.modules() if part is not module
    }
    return [(path, module) for path, module in candidates if id(module) not in inner]


def _first(old: str | None, new: str, parameters: Mapping[str, object]) -> str:
    """Prefer a module path to a plain variable, and the first module path to later ones."""
    return old if old is not None and old in parameters else new


def _without_aliases(
    parameters: Mapping[str, nn.Parameter], by_id: Mapping[int, str]
) -> dict[str, nn.Parameter]:
    return {name: p for name, p in parameters.items() if by_id[id(p)] == name}


def _spaces(scopes: Sequence[Scope]) -> Iterator[tuple[list[tuple[str, Any]], bool]]:
    """List the variables of each scope, innermost first, then of the globals they lie in.

    With each, whether it is of the user's own code.
    """
    for scope in scopes:
        if scope.is_function:
            yield list(scope.variables.items()), scope.is_own
    for space in {id(scope.globals): scope for scope in scopes[::-1]}.values():
        yield list(space.globals.items()), space.is_own


def _names_of_unreached(missing: set[int]) -> dict[int, str]:
    """Name parameters of modules that no variable leads to, by the class of the outermost one."""
    modules = [(type(one).__name__, one) for one in gc.get_objects() if is_a(one, nn.Module)]
    return {
        id(tensor): name
        for path, module in outermost(modules)
        for name, tensor in members(path, module)
        if id(tensor) in missing
    }
