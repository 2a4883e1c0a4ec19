"""Variables that are used on although what they were handed to has overwritten their tensor."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType

import torch

from autograd_inspect.run.files import is_own

#: Frames of the user's that are searched for variables, writes remembered, and uses kept.
_DEEP, _MOST, _USES = 4, 500, 100

Line = tuple[CodeType, int]


@dataclass(frozen=True, slots=True)
class Use:
    """A variable, the operation that overwrote its tensor, and three lines of the user's."""

    variable: str
    op: str
    called: Line
    wrote: Line
    used: Line


@dataclass(frozen=True, slots=True)
class _Binding:
    variable: str
    code: CodeType
    line: int
    frame: int


@dataclass(frozen=True, slots=True)
class _Write:
    tensor: weakref.ref[torch.Tensor]
    op: str
    wrote: Line
    bindings: tuple[_Binding, ...]


@dataclass(slots=True)
class Overwriting:
    """Remembers which variables stood for a tensor when it was overwritten.

    names    gives the variables of a frame that stand for a tensor; without it nothing is seen
    pending  by `id` of the tensor
    uses     operations that took it later, in a function that had the variable
    """

    names: Callable[[FrameType, torch.Tensor], list[str]] | None = None
    pending: dict[int, _Write] = field(default_factory=dict)
    uses: dict[Use, None] = field(default_factory=dict)

    def wrote(self, tensor: torch.Tensor, op: str, frame: FrameType) -> None:
        """Note a write that has just happened."""
        if self.names is None or (tensor.is_leaf and tensor.requires_grad):
            return
        bindings: list[_Binding] = []
        lines: list[Line] = []
        for one in _own_frames(frame):
            lines.append((one.f_code, one.f_lineno))
            bindings += [
                _Binding(name, one.f_code, one.f_lineno, id(one))
                for name in self.names(one, tensor)
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
                for binding in write.bindings:
                    same = binding.frame == id(one) and binding.code is one.f_code
                    # Another frame may have taken the place of one that is gone.
                    if same and self.names and binding.variable in self.names(one, tensor):
                        self._note(write, binding, (one.f_code, one.f_lineno))

    def _note(self, write: _Write, binding: _Binding, used: Line) -> None:
        called = binding.code, binding.line
        if len(self.uses) < _USES:
            self.uses[Use(binding.variable, write.op, called, write.wrote, used)] = None


def _own_frames(frame: FrameType | None) -> list[FrameType]:
    found: list[FrameType] = []
    while frame is not None and len(found) < _DEEP:
        if is_own(frame.f_code.co_filename):
            found.append(frame)
        frame = frame.f_back
    return found
