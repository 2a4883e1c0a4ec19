"""Variables that are used on although what they were handed to has overwritten their tensor."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType

import torch

from autograd_inspect.run.files import is_own

#: Frames of the user's that are searched for variables, writes remembered, and uses kept.
_DEEP, _MOST, _USES = 4, 500, 100
#: Elements of a list that are looked at.
_LONG = 64

Line = tuple[CodeType, int]


@dataclass(frozen=True, slots=True)
class Use:
    """A variable, the operation that overwrote its tensor, and three lines of the user's.

    is_list  the variable is of a list that keeps the tensor
    """

    variable: str
    is_list: bool
    op: str
    called: Line
    wrote: Line
    used: Line


@dataclass(frozen=True, slots=True)
class _Binding:
    """A variable of a frame; `keeper` is the id of its object, the tensor or a list that has it."""

    variable: str
    is_list: bool
    code: CodeType
    line: int
    frame: int
    keeper: int


@dataclass(frozen=True, slots=True)
class _Write:
    tensor: weakref.ref[torch.Tensor]
    op: str
    wrote: Line
    bindings: tuple[_Binding, ...]


@dataclass(slots=True)
class Overwriting:
    """Remembers which variables stood for a tensor, or had it in a list, when it was overwritten.

    variables  gives those of a frame; without it nothing is seen
    pending    by `id` of the tensor
    uses       operations that took it later, in a function that had the variable
    """

    variables: Callable[[FrameType], dict[str, object]] | None = None
    pending: dict[int, _Write] = field(default_factory=dict)
    uses: dict[Use, None] = field(default_factory=dict)

    def wrote(self, tensor: torch.Tensor, op: str, frame: FrameType) -> None:
        """Note a write that has just happened."""
        if self.variables is None or (tensor.is_leaf and tensor.requires_grad):
            return
        bindings: list[_Binding] = []
        lines: list[Line] = []
        for one in _own_frames(frame):
            lines.append((one.f_code, one.f_lineno))
            bindings += [
                _Binding(name, value is not tensor, one.f_code, one.f_lineno, id(one), id(value))
                for name, value in self.variables(one).items()
                if value is tensor or _has(value, tensor)
            ]
        if bindings and len(self.pending) < _MOST:
            self.pending[id(tensor)] = _Write(weakref.ref(tensor), op, lines[0], tuple(bindings))

    def used(self, inputs: Sequence[torch.Tensor], frame: FrameType) -> None:
        """Note that an operation takes a tensor that was overwritten."""
        for tensor in inputs:
            write = self.pending.get(id(tensor))
            if write is None:
                continue
            if write.tensor() is not tensor:
                del self.pending[id(tensor)]
                continue
            for one in _own_frames(frame):
                # Another frame may have taken the place of one that is gone.
                here = [
                    binding
                    for binding in write.bindings
                    if binding.frame == id(one) and binding.code is one.f_code
                ]
                for binding in self._standing(here, one):
                    self._note(write, binding, (one.f_code, one.f_lineno))

    def _standing(self, bindings: list[_Binding], frame: FrameType) -> list[_Binding]:
        """Give the variables that are what they were; a list where nothing else leads there."""
        if not bindings or self.variables is None:
            return []
        now = self.variables(frame)
        same = [one for one in bindings if id(now.get(one.variable)) == one.keeper]
        return [one for one in same if not one.is_list] or same

    def _note(self, write: _Write, binding: _Binding, used: Line) -> None:
        called = binding.code, binding.line
        if len(self.uses) < _USES:
            use = Use(binding.variable, binding.is_list, write.op, called, write.wrote, used)
            self.uses[use] = None


def _has(value: object, tensor: torch.Tensor) -> bool:
    """Tell whether a list keeps a tensor, as one of skip connections does."""
    if not isinstance(value, list | tuple | deque | dict) or len(value) > _LONG:
        return False
    kept = value.values() if isinstance(value, dict) else value
    return any(one is tensor for one in kept)


def _own_frames(frame: FrameType | None) -> list[FrameType]:
    found: list[FrameType] = []
    while frame is not None and len(found) < _DEEP:
        if is_own(frame.f_code.co_filename):
            found.append(frame)
        frame = frame.f_back
    return found
