"""What becomes of each parameter from step to step."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from autograd_inspect.model.training import Fate

#: Parameters followed at most: a program may make new ones in every step.
_MOST = 20_000


@dataclass(slots=True)
class _Life:
    """One parameter's fate so far; fields as in `model.training.Fate`."""

    parameter: weakref.ref[torch.Tensor]
    shape: tuple[int, ...]
    name: str = ""
    requires_grad: bool = True
    is_held: bool = False
    optimizers: set[int] = field(default_factory=set)
    reached: int = 0
    steps: int = 0
    arrived: int = 0
    nonzero: int = 0
    moved: int = 0


class Fates:
    """Follows parameters without keeping them alive."""

    def __init__(self) -> None:
        self._lives: dict[int, _Life] = {}
        self._over: list[_Life] = []

    def reach(self, leaves: Iterable[torch.Tensor]) -> None:
        """Note the parameters that a graph leads to."""
        for leaf in leaves:
            life = self._lives.get(id(leaf))
            if life is not None and life.parameter() is leaf:
                life.reached += 1
            elif isinstance(leaf, torch.nn.Parameter):
                self._life(leaf).reached += 1

    def hold(self, parameters: Iterable[torch.Tensor], optimizer: int) -> None:
        """Note the parameters that an optimizer holds."""
        for parameter in parameters:
            self._life(parameter).optimizers.add(optimizer)

    def wait(self, parameters: Iterable[torch.Tensor]) -> None:
        """Note the parameters that any optimizer holds, whether it has stepped or not."""
        for parameter in parameters:
            life = self._lives.get(id(parameter))
            if life is not None and life.parameter() is parameter:
                life.is_held = True

    def step(
        self,
        parameters: Sequence[torch.Tensor],
        gradients: Sequence[float | None],
        updates: Sequence[float | None],
    ) -> None:
        """Note what one step did to them."""
        for parameter, gradient, update in zip(parameters, gradients, updates, strict=True):
            life = self._life(parameter)
            life.steps += 1
            life.arrived += parameter.grad is not None or gradient is not None
            life.nonzero += gradient is not None and gradient != 0
            life.moved += update != 0  # one that was not measured may well have moved

    def unnamed(self) -> list[torch.Tensor]:
        """List the parameters that have no name yet."""
        found = (life.parameter() for life in self._lives.values() if not life.name)
        return [parameter for parameter in found if parameter is not None]

    def name(self, names: Mapping[int, str]) -> None:
        """Name those that have no name yet; `names` are by `id`."""
        for key, life in self._lives.items():
            if not life.name and life.parameter() is not None:
                life.name = names.get(key, "")

    def name_of(self, parameter: torch.Tensor) -> str:
        """Give the name of a parameter; empty where none is known."""
        return self._life(parameter).name

    def name_by_id(self, key: int) -> str:
        """Give the name of the parameter with an `id`; empty where none is known."""
        life = self._lives.get(key)
        return life.name if life is not None else ""

    def table(self, owned: Iterable[int]) -> tuple[Fate, ...]:
        """Tell what became of all of them; `owned` are the `id`s of the parameters of modules."""
        alive = set(owned)
        found = [(life, key in alive) for key, life in self._lives.items()]
        return tuple(
            _told(life, is_owned=is_owned)
            for life, is_owned in [*((life, False) for life in self._over), *found]
        )

    def _life(self, parameter: torch.Tensor) -> _Life:
        life = self._lives.get(id(parameter))
        if life is not None and life.parameter() is parameter:
            return life
        if life is not None and len(self._over) < _MOST:
            self._over.append(life)  # the tensor is gone, and its id has a new owner
        shape = tuple(getattr(parameter, "shape", ()))
        life = _Life(weakref.ref(parameter), shape, requires_grad=parameter.requires_grad)
        if len(self._lives) < _MOST:
            self._lives[id(parameter)] = life
        return life


def _told(life: _Life, *, is_owned: bool) -> Fate:
    parameter = life.parameter()
    return Fate(
        name=life.name,
        shape=tuple(size if type(size) is int else -1 for size in life.shape),
        optimizers=tuple(sorted(life.optimizers)),
        is_held=life.is_held or bool(life.optimizers),
        is_owned=is_owned and parameter is not None,
        requires_grad=parameter.requires_grad if parameter is not None else life.requires_grad,
        reached=life.reached,
        steps=life.steps,
        arrived=life.arrived,
        nonzero=life.nonzero,
        moved=life.moved,
    )
