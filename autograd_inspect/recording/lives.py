"""What happens to the tensors that a program means to train, from when each is made.

Autograd tells of a leaf what flowed into it. Whether it could have flowed there was decided
elsewhere: where it was made, where it was frozen, which optimizer was given it and when, and where
it was first used.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import torch
from torch import nn

from autograd_inspect.autograd._torch import base_of, sequence_of
from autograd_inspect.recording.creation import MARK
from autograd_inspect.recording.sites import OUTSIDE, Site, Spot, spot_of
from autograd_inspect.run.files import is_own

#: Tensors followed at most: a program may make new parameters in every step.
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Moment:
    """When the program stood at a line.

    order      rises from moment to moment
    backwards  calls of backward before it
    """

    spot: Spot
    order: int
    backwards: int

    @property
    def is_in_module(self) -> bool:
        """Whether it happened within the call of a module."""
        return self.spot[1] is not OUTSIDE


@dataclass(frozen=True, slots=True)
class Held:
    """An optimizer that was given a tensor, and where."""

    optimizer: weakref.ref[torch.optim.Optimizer]
    given: Moment


@dataclass(slots=True, eq=False)
class Life:
    """One tensor's so far.

    made      as a Parameter, `is_copy` by deepcopy
    built     where the outermost module was called that it was made in the `__init__` of
    frozen    where `requires_grad` was last switched off, and where on
    used      by the first operation that took it
    grad_read its `.grad` was read although it is no leaf
    taken     its `.grad` was first read, as of a leaf that has one
    version   how often it had been written to when a backward first led to it
    hidden    it was written to through `.data`, which no version tells
    missed    `autograd.grad` was asked for its derivative, of something that it did not lead to
    held      by which optimizers
    reached   backward calls that led to it
    arrived   a backward call has left a gradient
    base      the name of the tensor that it is a view of
    born      the operation that made what is no leaf, and the number of its node, where its
              derivative was missed: the tensor may be gone when that is told
    came_after  it was made after all that `autograd.grad` was to derive
    name      as the program calls it, when it was last asked
    is_registered  it was seen among the parameters of a module
    kept      the class, the attribute and the `__init__` of a module that keeps it in a plain list
    """

    tensor: weakref.ref[torch.Tensor]
    made: Moment | None = None
    is_copy: bool = False
    built: Spot | None = None
    frozen: Moment | None = None
    thawed: Moment | None = None
    used: Spot | None = None
    grad_read: Spot | None = None
    taken: Spot | None = None
    version: int = -1
    hidden: bool = False
    missed: Moment | None = None
    held: list[Held] = field(default_factory=list)
    reached: int = 0
    arrived: bool = False
    base: str = ""
    born: tuple[Spot | None, int] | None = None
    came_after: bool = False
    name: str = ""
    is_registered: bool = False
    kept: tuple[type, str, CodeType | None] | None = None


class Lives:
    """The lives of tensors, by `id`; none is kept alive.

    backwards  calls of backward so far
    """

    def __init__(self) -> None:
        self.backwards = 0
        self._order = itertools.count()
        self._lives: dict[int, Life] = {}
        self._over: list[Life] = []

    def __iter__(self) -> Iterator[Life]:
        """Go through all, those that are over first."""
        return iter([*self._over, *self._lives.values()])

    def of(self, tensor: torch.Tensor) -> Life:
        """Find or begin the life of a tensor."""
        life = self._lives.get(id(tensor))
        if life is not None and life.tensor() is tensor:
            return life
        if life is not None and len(self._over) < _MOST:
            self._over.append(life)  # the tensor is gone, and its id has a new owner
        life = Life(weakref.ref(tensor))
        if len(self._lives) < _MOST:
            self._lives[id(tensor)] = life
        return life

    def _moment(self, frame: FrameType | None) -> Moment:
        return Moment(spot_of(frame), next(self._order), self.backwards)

    def made(self, parameter: torch.Tensor, frame: FrameType) -> None:
        """See a Parameter made."""
        life = self.of(parameter)
        life.made, life.is_copy = self._moment(frame), frame.f_code.co_name == "__deepcopy__"
        builder = _builder_of(frame)
        life.built = spot_of(builder) if builder is not None else None

    def switched(self, tensor: torch.Tensor, frame: FrameType, *, on: bool) -> None:
        """See `requires_grad` set."""
        life = self.of(tensor)
        if on:
            life.thawed = self._moment(frame)
        elif life.frozen is None or tensor.requires_grad:
            life.frozen = self._moment(frame)

    def read(self, tensor: torch.Tensor, frame: FrameType) -> None:
        """See `.grad` read: of a tensor that is no leaf it is None, whatever flows there."""
        if tensor.is_leaf:
            self._taken(tensor, frame)
        elif not tensor.retains_grad:
            life = self.of(tensor)
            life.grad_read, life.born = spot_of(frame), _birth_of(tensor)

    def _taken(self, leaf: torch.Tensor, frame: FrameType) -> None:
        known = self._lives.get(id(leaf))
        if known is not None and known.reached and known.taken is None:
            known.taken = spot_of(frame)

    def written_past(self, leaf: torch.Tensor | None) -> None:
        """See a leaf written to through `.data`, where there is one."""
        life = self._lives.get(id(leaf)) if leaf is not None else None
        if life is not None:
            life.hidden = True

    def used(self, tensors: Iterable[torch.Tensor], frame: FrameType) -> None:
        """See an operation take tensors; only the first one of each counts."""
        for tensor in tensors:
            if not tensor.is_leaf:
                continue
            life = self._lives.get(id(tensor))
            if life is None or life.used is None:
                life = self.of(tensor)
                life.used = life.used or spot_of(frame)

    def given(self, optimizer: torch.optim.Optimizer, group: Any, frame: FrameType) -> None:
        """See an optimizer take a group of parameters."""
        moment = self._moment(frame)
        held = Held(weakref.ref(optimizer), moment)
        for tensor in _parameters_of(group):
            self.of(tensor).held.append(held)

    def missed(self, tensor: torch.Tensor, frame: FrameType | None, roots: Sequence[int]) -> None:
        """See a derivative asked for that there is none of, of roots with these numbers."""
        life = self.of(tensor)
        life.came_after = bool(roots) and sequence_of(tensor.grad_fn) > max(roots)
        life.missed, life.born = self._moment(frame), _birth_of(tensor)

    def reached(self, leaves: Iterable[torch.Tensor]) -> None:
        """Note the leaves that a backward call delivers to."""
        self.backwards += 1
        for leaf in leaves:
            life = self.of(leaf)
            life.reached += 1
            if life.version < 0 and not leaf.is_inference():
                life.version = leaf._version

    def name(
        self,
        names: Mapping[int, str],
        registered: Iterable[torch.Tensor],
        kept: Mapping[int, tuple[nn.Module, str]],
    ) -> None:
        """Take down what the program leads to: `names` and what modules `kept` are by `id`."""
        for parameter in registered:
            self.of(parameter).is_registered = True
        for key, life in self._lives.items():
            tensor = life.tensor()
            if tensor is None:
                continue
            life.name = life.name or names.get(key, "")
            if life.missed is not None:
                life.base = life.base or names.get(id(base_of(tensor)), "")
            if life.kept is None and key in kept:
                module, attribute = kept[key]
                begun = getattr(type(module).__init__, "__code__", None)
                life.kept = type(module), attribute, begun
            if not life.arrived and tensor.is_leaf and tensor.grad is not None:
                life.arrived = True


def _builder_of(frame: FrameType | None) -> FrameType | None:
    """Give the frame that called the outermost of the modules whose `__init__` a frame is in."""
    found = None
    while frame is not None:
        if frame.f_code.co_name == "__init__" and is_own(frame.f_code.co_filename):
            if not isinstance(frame.f_locals.get("self"), nn.Module):
                break
            found = frame.f_back
        elif found is not None and frame is not found and is_own(frame.f_code.co_filename):
            break
        frame = frame.f_back
    return found


def _birth_of(tensor: torch.Tensor) -> tuple[Spot | None, int] | None:
    node: Any = tensor.grad_fn
    if node is None:
        return None
    mark = node.metadata.get(MARK, ())
    spot = (mark[0], mark[1]) if len(mark) > 1 and isinstance(mark[0], Site) else None
    return spot, sequence_of(node)


def _parameters_of(group: Any) -> Iterator[torch.Tensor]:
    parameters = group.get("params") if isinstance(group, dict) else None
    if isinstance(parameters, torch.Tensor):
        parameters = (parameters,)
    for one in parameters if isinstance(parameters, list | tuple) else ():
        tensor = one[1] if isinstance(one, tuple) and len(one) == 2 else one
        if isinstance(tensor, torch.Tensor):
            yield tensor
