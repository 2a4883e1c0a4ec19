"""The close watch: what happens to values between the leaves and the root.

Every function of torch that the program calls on this thread passes through here. A tensor that
requires grad, and one whose values came from such, has a `Known`; where something that requires
grad goes in and something that does not comes out, that is a cut. In-place writes show by the
version that torch counts.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import torch
from torch.autograd import Function
from torch.overrides import TorchFunctionMode

from autograd_inspect.autograd._torch import in_transform
from autograd_inspect.model.flow import CutKind
from autograd_inspect.recording.copying import Copying
from autograd_inspect.recording.creation import Mark
from autograd_inspect.recording.cuts import Cut, Cuts, Known
from autograd_inspect.recording.learning import Learning
from autograd_inspect.recording.lineage import Lineage, Tensors, cuts_behind, has_graph
from autograd_inspect.recording.lives import Lives
from autograd_inspect.recording.noticing import Noticing
from autograd_inspect.recording.operations import (
    Sort,
    kind_by_name,
    name_of,
    sort_of,
    tensors_among,
    tensors_in_result,
    values_among,
)
from autograd_inspect.recording.overwriting import Overwriting
from autograd_inspect.recording.regions import Regions
from autograd_inspect.recording.results import Results
from autograd_inspect.recording.sites import Text, spot_of
from autograd_inspect.recording.stepping import OF_OPTIMIZERS, Stepping
from autograd_inspect.recording.unrecorded import UnrecordedTensors
from autograd_inspect.recording.values import Born, Values
from autograd_inspect.recording.writes import Writes, versions_of
from autograd_inspect.run.files import is_machinery

TorchFunction = Callable[..., Any]
Options = dict[str, Any] | None

#: Operations that autograd refuses because they would cut the graph.
_REFUSED = {CutKind.OUT, CutKind.NUMPY, CutKind.COPY, CutKind.NEW_TENSOR}


class Entering(Text):
    """Goes into the mark of a node: values that came out of these cuts went into it."""

    __slots__ = ("cuts",)
    cuts: frozenset[Cut]


class Flow(TorchFunctionMode):
    """Watches the functions of torch while it is entered.

    cuts     the places that cut the graph
    writes   the last in-place write to each storage
    values   where values first were not finite
    noticing operations that stand out by what they are given
    overwriting  variables whose tensor was overwritten by what they were handed to
    on_write is told of each in-place write: the tensor, the function, and where
    lineage  what is known of each tensor
    lives    what happened to the tensors that the program means to train
    learning what the program does to these, as it comes by here
    copying  values that are written into them without their graph
    stepping steps of optimizers, into which it does not look
    results  what comes out of operations, and is cut off or not
    unrecorded  tensors made while gradients were off, where that matters later
    asleep   lets everything pass: what goes on is ours, not the program's
    turn     how many backward calls there have been
    trouble  an error of ours, kept so that it never surfaces inside the user's program
    """

    def __init__(self) -> None:
        super().__init__()
        self.cuts = Cuts()
        self.writes = Writes()
        self.values = Values()
        self.noticing = Noticing()
        self.overwriting = Overwriting()
        self.on_write: Callable[[torch.Tensor, TorchFunction, FrameType], None] | None = None
        self.lineage = Lineage()
        self.lives = Lives()
        self.learning = Learning(self)
        self.copying = Copying(self)
        self.stepping = Stepping(self)
        self.results = Results(self)
        self.regions = Regions()
        self.unrecorded = UnrecordedTensors()
        self.asleep = False
        self.trouble: Exception | None = None
        self._thread = threading.get_ident()
        self._in_backward = False
        self.turn = 0
        self._entering: Entering | None = None
        # Within the forward of a custom Function: the tensors with grad that it works on.
        self._inside: list[torch.Tensor] | None = None

    def __torch_function__(
        self,
        func: TorchFunction,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Options = None,
    ) -> Any:
        """Run a function and see what became of the tensors it was given."""
        untold = self.asleep or _is_traced() or in_transform()  # a compiler can follow no frame
        if untold or OF_OPTIMIZERS[(frame := sys._getframe(1)).f_code.co_filename]:
            return func(*args, **kwargs) if kwargs else func(*args)
        try:
            sort = sort_of(func)
        except TypeError:  # cannot be hashed
            sort = Sort.PASS
        if sort is Sort.OPERATION or sort is Sort.LEAVES_TORCH:
            return self._run(func, args, kwargs, frame)
        if sort is Sort.SWITCH:
            self.guard(self._switched, args, frame)
        elif sort is Sort.LEARNING:
            self.guard(self.learning.look, func, args, kwargs, frame)
        return func(*args, **kwargs) if kwargs else func(*args)

    def mark(self, frame: FrameType) -> Mark:
        """Say what to remember of a node that is being made."""
        if self._entering is None or threading.get_ident() != self._thread:
            return spot_of(frame)
        return (*spot_of(frame), self._entering)

    def _run(
        self, func: TorchFunction, args: tuple[Any, ...], kwargs: Options, frame: FrameType
    ) -> Any:
        """Run an operation between a look at what goes in and a look at what comes out."""
        try:
            inputs = tensors_among(args, kwargs)
            versions = versions_of(inputs)
            given = values_among(func, args, inputs)
            learning = [tensor for tensor in given if has_graph(tensor)]
            tainted = self.lineage.tainted(given)
        except Exception:  # noqa: BLE001 - a tensor of a kind that does not tell
            return func(*args, **kwargs) if kwargs else func(*args)
        self.guard(self.noticing.look, func, args, kwargs, inputs, frame)
        if self.overwriting.pending:
            self.guard(self.overwriting.used, inputs, frame)
        if self._inside is not None:
            self._inside += learning
        if tainted and torch.is_grad_enabled():
            self._entering = _entering(tainted)
        try:
            result = func(*args, **kwargs) if kwargs else func(*args)
        except Exception:
            self.guard(self._failed, func, learning, kwargs, frame)
            raise
        finally:
            if self._inside is None:
                self._entering = None
        self.guard(self._written, func, inputs, versions, frame)
        self.guard(self._valued, func, inputs, result, frame)
        if kind_by_name(func) is CutKind.DATA and isinstance(result, torch.Tensor):
            self.guard(self.writes.detached, result)
            self.guard(self.lineage.note_alias, result, inputs)
        if not torch.is_grad_enabled():
            self.guard(self._unrecorded, result, frame)
        if (learning or tainted) and self._inside is None and not self._in_backward:
            self.guard(self.results.of_operation, func, given, learning, result, frame)
        return result

    def _failed(
        self, func: TorchFunction, learning: Tensors, options: Options, frame: FrameType
    ) -> None:
        """Note an operation that autograd refused: its line is where the program stopped."""
        kind = CutKind.OUT if options and "out" in options else kind_by_name(func)
        if learning and kind in _REFUSED and not self._in_backward:
            cut = self.cut(name_of(func), kind, learning, frame)
            if cut is not None:
                cut.raised = True

    def _written(
        self, func: TorchFunction, inputs: Tensors, versions: Sequence[int], frame: FrameType
    ) -> None:
        for tensor, version in zip(inputs, versions, strict=True):
            if version >= 0 and tensor._version != version:
                by_torch = is_machinery(frame.f_code.co_filename)
                self.writes.note(tensor, name_of(func), spot_of(frame), by_torch=by_torch)
                self.lives.written_past(self.lineage.owner_of(tensor))
                if torch.is_grad_enabled() and not self._in_backward:
                    self.overwriting.wrote(tensor, name_of(func), frame)
                if self.on_write is not None:
                    self.on_write(tensor, func, frame)

    def _valued(self, func: TorchFunction, inputs: Tensors, result: Any, frame: FrameType) -> None:
        if self.asleep or self._in_backward:
            return
        outputs = tensors_in_result(result)
        self.values.note(outputs, inputs, lambda: Born(name_of(func), spot_of(frame)))

    def _unrecorded(self, result: Any, frame: FrameType) -> None:
        self.unrecorded.note(tensors_in_result(result), spot_of(frame), self.regions.current)

    # Custom Functions: one operation each, whatever their forward does inside

    def run_custom(self, cls: type[Function], apply: TorchFunction, args: Any, kwargs: Any) -> Any:
        """Run `Function.apply` for the function that called the caller of this."""
        busy = self._inside is not None or self._in_backward or self.asleep or in_transform()
        if busy or threading.get_ident() != self._thread:
            return apply(*args, **kwargs)
        frame = sys._getframe(2)
        inputs = tensors_among(args, kwargs)
        tainted = self.lineage.tainted(inputs)
        inside = self._inside = []
        self._entering = _entering(tainted) if tainted else None
        try:
            result = apply(*args, **kwargs)
        finally:
            self._inside = self._entering = None
        self.guard(self.results.of_custom, cls, inputs, inside, result, frame)
        return result

    # Backwards

    def run_backward(
        self, engine: Callable[[], Any], roots: Sequence[Any], frame: FrameType
    ) -> Any:
        """Run a backward; what it hands back comes from its roots."""
        self.turn += not self._in_backward
        before, self._in_backward = self._in_backward, True
        try:
            result = engine()
        finally:
            self._in_backward = before
        if not (self.asleep or in_transform()) and threading.get_ident() == self._thread:
            self.guard(self.results.of_backward, tensors_in_result(result), roots, frame)
            if result is None or not result:
                self.guard(self.learning.delivered, roots, frame)
        return result

    # Where gradients are switched off

    def switched_off(self, frame: FrameType) -> None:
        """See `inference_mode` entered; the other switches are functions of torch."""
        self.guard(self._switched, (False,), frame)

    def switched_back(self, frame: FrameType) -> None:
        """See `inference_mode` left."""
        self.regions.switch(frame, on=torch.is_grad_enabled(), was_on=False)

    def _switched(self, args: tuple[Any, ...], frame: FrameType) -> None:
        self.regions.switch(frame, on=bool(args and args[0]), was_on=torch.is_grad_enabled())

    # The record

    def cut(
        self, op: str, kind: CutKind, sources: Tensors, frame: FrameType, *, beside: bool = False
    ) -> Cut | None:
        """Find or make the record of this place, and count; None where it is nobody's business."""
        region = None if torch.is_grad_enabled() else self.regions.current
        cut = self.cuts.at(op, kind, frame, region, sources[0])
        if cut is not None:
            cut.happened(self.lineage.of_all(sources), self.turn, beside=beside)
        return cut

    def after(self, cut: Cut) -> Known:
        """Give what is known of what a cut put out."""
        return Known(cuts=frozenset([cut]), direct=cut, turn=self.turn)

    def used(
        self, tainted: Sequence[Known], op: str, frame: FrameType, *, leaving: bool = False
    ) -> None:
        """Note who took values that a cut put out: straight from it, or at last out of torch."""
        for known in tainted:
            for cut in known.cuts if leaving else ():
                if cut is not known.direct:
                    cut.used_by(op, spot_of(frame))
            if known.direct is not None:
                known.direct.used_by(op, spot_of(frame))

    def guard(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do our work so that no error of ours surfaces inside the user's program."""
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 - the user's program must not see it
            self.trouble = error


def _is_traced() -> bool:
    """Tell whether operations are only looked at, to be compiled, and where from matters."""
    return torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None


def _entering(tainted: Sequence[Known]) -> Entering:
    entering = Entering()
    entering.cuts = cuts_behind(tainted)
    return entering
