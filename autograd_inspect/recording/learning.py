"""What the program does to the tensors that it means to train: switches, `.grad`, Parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch

from autograd_inspect.model.flow import CutKind
from autograd_inspect.recording.cuts import Cut, Known
from autograd_inspect.recording.lineage import cuts_behind, has_graph
from autograd_inspect.recording.operations import property_name
from autograd_inspect.run.files import is_own

if TYPE_CHECKING:
    from autograd_inspect.recording.flow import Flow

TorchFunction = Callable[..., Any]
Options = dict[str, Any] | None


class Learning:
    """Looks at what decides whether a tensor learns, for the flow that it belongs to."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        # The latest backward, as what cut off the gradients that it left behind.
        self._delivery: Cut | None = None

    def look(
        self, func: TorchFunction, args: tuple[Any, ...], kwargs: Options, frame: FrameType
    ) -> None:
        """See what decides whether a tensor learns: its switch, its `.grad`, its `.data`."""
        tensor, given = [*args, (kwargs or {}).get("requires_grad", True)][:2]
        match property_name(func), getattr(func, "__name__", ""):
            case ("grad", "__get__"):
                self._flow.lives.read(tensor, frame)
                if is_own(frame.f_code.co_filename):
                    self._gradient_read(tensor)
            case ("data", "__set__"):
                self._data_set(tensor, given, frame)
            case _:
                self._flow.lives.switched(tensor, frame, on=bool(given))

    def delivered(self, roots: Sequence[Any], frame: FrameType) -> None:
        """See a backward leave gradients in `.grad`: a cut, if any is computed with."""
        sources = [root for root in roots if isinstance(root, torch.Tensor)]
        kind = CutKind.NO_CREATE_GRAPH
        self._delivery = (
            self._flow.cut("Tensor.backward", kind, sources, frame, beside=True)
            if sources
            else None
        )

    def _gradient_read(self, tensor: torch.Tensor) -> None:
        gradient = tensor.grad if tensor.is_leaf else None
        if gradient is not None and self._delivery and not gradient.requires_grad:
            self._flow.lineage.note(gradient, self._flow.after(self._delivery))

    def _data_set(self, tensor: torch.Tensor, given: torch.Tensor, frame: FrameType) -> None:
        self._flow.lives.written_past(tensor)
        tainted = self._flow.lineage.tainted([given])
        if has_graph(given) and given is not tensor:
            cut = self._flow.cut("Tensor.data", CutKind.COPY, [given], frame)
            if cut is not None:
                self._flow.lineage.note(tensor, self._flow.after(cut))
        elif tainted:
            self._flow.lineage.note(tensor, Known(cuts=cuts_behind(tainted)))

    def parameter_made(self, value: Any, parameter: torch.Tensor, frame: FrameType) -> None:
        """See a Parameter made of a tensor that had a graph, or of values that had lost theirs."""
        if self._flow.asleep:
            return
        self._flow.guard(self._flow.lives.made, parameter, frame)
        if not isinstance(value, torch.Tensor) or value is parameter:
            return
        self._flow.guard(self._made_leaf, value, parameter, frame)

    def _made_leaf(self, value: torch.Tensor, parameter: torch.Tensor, frame: FrameType) -> None:
        tainted = self._flow.lineage.tainted([value])
        self._flow.used(tainted, "nn.Parameter", frame)
        if value.requires_grad and not value.is_leaf:
            cut = self._flow.cut("nn.Parameter", CutKind.PARAMETER, [value], frame)
            if cut is not None:
                self._flow.lineage.note(parameter, self._flow.after(cut))
        elif tainted:
            self._flow.lineage.note(parameter, Known(cuts=cuts_behind(tainted)))

    def optimizer_given(
        self, optimizer: torch.optim.Optimizer, group: Any, frame: FrameType
    ) -> None:
        """See an optimizer take parameters."""
        if not self._flow.asleep:
            self._flow.guard(self._flow.lives.given, optimizer, group, frame)
