"""Values written into a leaf without their graph: through `.data`, or where gradients are off."""

from __future__ import annotations

from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

import torch

from autograd_inspect.model.flow import CutKind
from autograd_inspect.recording.cuts import Cut, Known, with_upstream
from autograd_inspect.recording.lineage import Tensors, cuts_behind, has_graph

if TYPE_CHECKING:
    from autograd_inspect.recording.flow import Flow


class Copying:
    """Notes what a leaf holds of values that had a graph, for the flow that it belongs to."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def past_the_graph(
        self, alias: torch.Tensor, sources: Tensors, op: str, frame: FrameType
    ) -> None:
        """See values with a graph written into what `.data` gave: the leaf itself gets none."""
        if self._flow.lineage.owner_of(alias) is None:
            return
        cut = self._flow.cut(op, CutKind.COPY, sources, frame)
        if cut is not None:
            self.reached_owner(alias, cut)

    def reached_owner(self, tensor: torch.Tensor, cut: Cut) -> None:
        """Note that the leaf which a tensor shares its values with holds what a cut put out."""
        owner = self._flow.lineage.owner_of(tensor)
        if owner is not None and cut.kind is CutKind.COPY:
            self._flow.lineage.note(owner, self._flow.after(cut))

    def without_graph(
        self, leaf: torch.Tensor, tainted: Sequence[Known], op: str, frame: FrameType
    ) -> bool:
        """See values copied into a leaf that lost their graph just for that.

        The copy would have lost it anyway, so it is what is told.
        """
        if not has_graph(leaf):
            return False
        cut = self._flow.cuts.at(op, CutKind.COPY, frame, None, leaf)
        if cut is None:
            return False
        cut.happened((), self._flow.turn)
        earlier = cuts_behind(tainted)
        cut.upstream |= earlier
        for one in with_upstream(earlier):
            cut.leaves |= one.leaves
            cut.named |= one.named
        self._flow.lineage.note(leaf, self._flow.after(cut))
        return True
