"""The optimizers of a program, and how far each of their steps moves what."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from autograd_inspect.autograd.details import Interned
from autograd_inspect.model.training import Group, Movement
from autograd_inspect.training.norms import Norms, Weights, norms
from autograd_inspect.training.reuse import Reuse

NameOf = Callable[[torch.Tensor], str]

#: What is summed up in the row of a parameter without a module.
NO_MODULE = "(no module)"
NO_NAME = "(no name)"


class Groups:
    """The rows that parameters are summed up in: parameter groups, modules, or parameters."""

    def __init__(self, by: str) -> None:
        self.by = by
        self._rows: Interned[tuple[int, str]] = Interned()
        self._sizes: dict[int, tuple[int, int]] = {}

    def rows_of(self, tracked: Tracked, name_of: NameOf) -> list[int]:
        """Give the row of each parameter of an optimizer."""
        rows = []
        for parameter, place in zip(tracked.parameters, tracked.places, strict=True):
            name = tracked.group_name(place) if self.by == "group" else name_of(parameter)
            if self.by == "module":
                name = name.rpartition(".")[0] or NO_MODULE
            rows.append(self._rows[tracked.number, name or NO_NAME])
        for row in set(rows):
            inside = [p for p, one in zip(tracked.parameters, rows, strict=True) if one == row]
            self._sizes[row] = len(inside), sum(parameter.numel() for parameter in inside)
        return rows

    def table(self) -> tuple[Group, ...]:
        """Describe the rows."""
        return tuple(
            Group(name, optimizer, *self._sizes[row])
            for (optimizer, name), row in self._rows.items()
        )


@dataclass(slots=True, eq=False)
class Tracked:
    """One optimizer, while it is alive.

    thread      the one that it steps on: gradients may only be looked at where backward runs
    parameters  all of them, in the order of its groups
    places      the parameter group of each
    rows        the row of each, see `Groups`
    gradients   norms of the gradients that the step now under way uses
    """

    number: int
    name: str
    optimizer: weakref.ref[torch.optim.Optimizer]
    thread: int
    parameters: list[torch.Tensor] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    gradients: Norms = field(default_factory=list)
    reuse: Reuse = field(default_factory=Reuse)
    reused: int = 0
    added: int = 0
    _weights: Weights | None = None
    _titles: list[str] = field(default_factory=list)

    def refresh(self) -> bool:
        """Look which parameters the optimizer holds now; True if not those of before."""
        optimizer = self.optimizer()
        groups = optimizer.param_groups if optimizer is not None else []
        pairs = [
            (parameter, place)
            for place, group in enumerate(groups)
            for parameter in group["params"]
        ]
        now = list({id(parameter): parameter for parameter, _ in pairs}.values())
        if len(now) == len(self.parameters) and all(
            one is other for one, other in zip(now, self.parameters, strict=True)
        ):
            return False
        place_of = {id(parameter): place for parameter, place in reversed(pairs)}
        self.parameters = now
        self.places = [place_of[id(parameter)] for parameter in now]
        self._titles = [str(group.get("name", "")) for group in groups]
        self._weights = Weights(now)
        return True

    @property
    def stride(self) -> int:
        """One of how many elements of the weights is compared."""
        return self._weights.stride if self._weights is not None else 1

    def group_name(self, place: int) -> str:
        """Name a parameter group, by the optimizer's name alone where there is but one."""
        if len(self._titles) <= 1:
            return self.name
        return f"{self.name}[{place}] {self._titles[place]}".rstrip()

    def before_step(self) -> None:
        """Look at gradients and weights before the step."""
        self.reused = self.reuse.reused(self.parameters)
        self._measure_gradients()
        if self._weights is not None:
            self._weights.keep()

    def after_step(self, *, had_backward: bool) -> tuple[Norms, Norms]:
        """Give the norms of the weights before the step and of their change.

        `had_backward` says that a closure computed the gradients within the step.
        """
        if had_backward:
            self.reused = self.reuse.reused(self.parameters)
            self._measure_gradients()
        self.settle()
        return self.compare()

    def settle(self, moved: Sequence[torch.Tensor] | None = None) -> None:
        """Take note that the gradients are used: all, or those of the parameters that moved."""
        self.added = self.reuse.added
        self.reuse.after_step(self.parameters if moved is None else moved)

    def compare(self) -> tuple[Norms, Norms]:
        """Give the norms of the weights that were last looked at, and of their change since."""
        return self._weights.compare() if self._weights is not None else ([], [])

    @property
    def attached(self) -> int:
        """How many gradients have a graph of their own."""
        gradients = (parameter.grad for parameter in self.parameters)
        return sum(grad is not None and grad.requires_grad for grad in gradients)

    def movements(self, weights: Norms, updates: Norms) -> dict[int, Movement]:
        """Sum up one step by row."""
        rates = self._rates()
        parts: dict[int, list[Movement]] = {}
        for row, place, gradient, weight, update in zip(
            self.rows, self.places, self.gradients, weights, updates, strict=True
        ):
            moved = Movement(gradient, weight, update, rates[place])
            parts.setdefault(row, []).append(moved)
        return {row: Movement.together(moved) for row, moved in parts.items()}

    def _measure_gradients(self) -> None:
        optimizer: Any = self.optimizer()
        found = norms([parameter.grad for parameter in self.parameters])
        # Some optimizers divide by the scale of a GradScaler themselves, within their step.
        scale = getattr(optimizer, "grad_scale", None)
        if scale is not None:
            found = [None if size is None else size / float(scale) for size in found]
        self.gradients = found

    def _rates(self) -> Norms:
        optimizer = self.optimizer()
        groups = optimizer.param_groups if optimizer is not None else []
        return [_number(group.get("lr")) for group in groups]


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]  # a tensor, or a number of any kind
    except (TypeError, ValueError, RuntimeError):
        return None


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} {number}" for number in itertools.count(2))


class Optimizers:
    """The optimizers that have stepped and are still alive."""

    def __init__(self) -> None:
        self._alive: dict[int, Tracked] = {}
        self.names: list[str] = []

    def __iter__(self) -> Iterator[Tracked]:
        return iter(list(self._alive.values()))

    def number_of(self, name: str) -> int:
        """Give the number that goes with a name."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def of_this_thread(self) -> list[Tracked]:
        """List those that step on the thread that calls this."""
        return [tracked for tracked in self if tracked.thread == threading.get_ident()]

    def get(self, optimizer: torch.optim.Optimizer) -> Tracked | None:
        """Give what is known of an optimizer."""
        tracked = self._alive.get(id(optimizer))
        return tracked if tracked is not None and tracked.optimizer() is optimizer else None

    def add(self, optimizer: torch.optim.Optimizer, name: str) -> Tracked:
        """Follow another one, and let go of those that the program has dropped."""
        gone = [key for key, tracked in self._alive.items() if tracked.optimizer() is None]
        for key in gone:
            del self._alive[key]
        # One that takes the place of another goes on in its row; two at a time are told apart.
        used = {tracked.name for tracked in self._alive.values()}
        plain = name or type(optimizer).__name__
        taken = next(one for one in _numbered(plain) if one not in used)
        tracked = Tracked(
            self.number_of(taken), taken, weakref.ref(optimizer), threading.get_ident()
        )
        self._alive[id(optimizer)] = tracked
        return tracked
