"""What comes out of operations, custom Functions and backwards: with a graph, or cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import Function

from autograd_inspect.model.flow import CutKind
from autograd_inspect.recording.cuts import Known
from autograd_inspect.recording.lineage import Tensors, cuts_behind, cuts_carried, has_graph
from autograd_inspect.recording.operations import (
    inputs_of_output,
    kind_by_name,
    kind_by_result,
    name_of,
    tensors_in_result,
)

if TYPE_CHECKING:
    from autograd_inspect.recording.flow import Flow

TorchFunction = Callable[..., Any]


class Results:
    """Says what is known of results, and finds the cuts, for the flow that it belongs to."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def of_operation(
        self,
        func: TorchFunction,
        inputs: Tensors,
        learning: Tensors,
        result: Any,
        frame: FrameType,
    ) -> None:
        """Look at what came out: with a graph, cut off, or values that had lost theirs before."""
        flow, name, kind = self._flow, name_of(func), kind_by_name(func)
        tainted = flow.lineage.tainted(inputs)
        outputs = tensors_in_result(result)
        flow.used(tainted, name, frame, leaving=not outputs and kind is not None)
        if not outputs and learning and kind is not None:
            flow.cut(name, kind, learning, frame)
        with_graph, cut_off = None, None
        beside = any(not tensor.is_leaf for tensor in outputs)
        for place, tensor in enumerate(outputs):
            if not tensor.is_leaf:
                if with_graph is None:
                    with_graph = Known(flow.lineage.of_all(inputs))
                    flow.lives.used(learning, frame)
                flow.lineage.note(tensor, with_graph)
                flow.copying.past_the_graph(tensor, learning, name, frame)
                continue
            behind = inputs_of_output(func, inputs, place, len(outputs))
            sources = _lost_by(tensor, kind, learning, behind)
            if sources:
                how = kind_by_result(tensor) if kind is None else kind
                cut_off = cut_off or flow.cut(name, how, sources, frame, beside=beside)
                if cut_off is not None:
                    cut_off.upstream |= cuts_behind(tainted)
                    flow.lineage.note(tensor, flow.after(cut_off))
                    flow.copying.reached_owner(tensor, cut_off)
            elif tainted and not (
                kind is CutKind.COPY and flow.copying.without_graph(tensor, tainted, name, frame)
            ):
                flow.lineage.note(tensor, Known(cuts=cuts_carried(tainted, kind, frame)))

    def of_custom(
        self,
        cls: type[Function],
        inputs: Tensors,
        inside: Tensors,
        result: Any,
        frame: FrameType,
    ) -> None:
        """Look at what came out, and at what was used inside without having been given.

        A reentrant checkpoint may do that: its backward runs the inside again, with its graph, as
        long as it sees an input that requires grad, and it sees none in lists and dicts. Any other
        Function loses the gradient of what it was not given.
        """
        learning = [tensor for tensor in inputs if has_graph(tensor)]
        given = set(map(id, inputs))
        captured = [tensor for tensor in inside if id(tensor) not in given]
        checkpoint = cls.__module__.startswith("torch.utils.checkpoint")
        outputs = tensors_in_result(result)
        lost = [tensor for tensor in outputs if not tensor.requires_grad]
        self._flow.used(self._flow.lineage.tainted(inputs), cls.__name__, frame)
        sees_none = checkpoint and len(lost) == len(outputs)
        sources = learning if lost else []
        if not checkpoint or sees_none:
            sources = [*sources, *captured]
        cut = None
        if sources:
            kind = CutKind.CHECKPOINT if sees_none else CutKind.CUSTOM
            cut = self._flow.cut(cls.__name__, kind, sources, frame)
        parents = self._flow.lineage.of_all([*inputs, *captured] if checkpoint else inputs)
        for tensor in outputs:
            known = Known(parents if tensor.requires_grad else ())
            if cut is not None and (captured or not tensor.requires_grad):
                # One with a graph may carry values, too, that the Function was not given.
                known.cuts, known.direct = frozenset([cut]), cut
            self._flow.lineage.note(tensor, known)

    def of_backward(self, gradients: Tensors, roots: Sequence[Any], frame: FrameType) -> None:
        """Look at the gradients that `autograd.grad` hands back: they come from the roots."""
        sources = [root for root in roots if isinstance(root, torch.Tensor)]
        without = [tensor for tensor in gradients if not tensor.requires_grad]
        cut = None
        if without and sources:
            cut = self._flow.cut("torch.autograd.grad", CutKind.NO_CREATE_GRAPH, sources, frame)
        known = Known(self._flow.lineage.of_all(sources))
        for tensor in gradients:
            if tensor.requires_grad:
                self._flow.lineage.note(tensor, known)
            elif cut is not None:
                self._flow.lineage.note(tensor, self._flow.after(cut))


def _lost_by(
    tensor: torch.Tensor, kind: CutKind | None, learning: Tensors, behind: Tensors
) -> list[torch.Tensor]:
    """Give the tensors with a graph that a result without one was computed from.

    What an operation only hands on has lost nothing, unless it is there to lose it: `detach_`.
    """
    return [
        one
        for one in learning
        if (one is not tensor or kind is CutKind.DETACH) and any(one is each for each in behind)
    ]
