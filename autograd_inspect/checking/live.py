"""Tensors that the program leads to where it stands, told without keeping them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from autograd_inspect.autograd._torch import (
    base_of,
    is_leaf,
    made_by,
    op_name,
    sequence_of,
    version_of,
)
from autograd_inspect.autograd.details import spec_of
from autograd_inspect.model.facts import LiveTensor
from autograd_inspect.model.places import Place
from autograd_inspect.recording.creation import MARK
from autograd_inspect.recording.places import lines_of
from autograd_inspect.recording.recorder import Recorder
from autograd_inspect.recording.sites import OUTSIDE, Site, Spot
from autograd_inspect.run.files import relative_to
from autograd_inspect.training.graphs import step_of, steps_behind

#: Tensors that are listed.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes tensors, with what the recorder knows of where they were made.

    ends  autograd's numbers at which the steps of the program ended
    """

    start: Path
    recorder: Recorder
    ends: list[int] = field(default_factory=list)

    def describe(self, named: Iterable[tuple[str, torch.Tensor]]) -> tuple[LiveTensor, ...]:
        """Describe tensors, each once and by its first name."""
        found: dict[int, tuple[str, torch.Tensor]] = {}
        for name, tensor in named:
            if len(found) < _MOST:
                found.setdefault(id(tensor), (name, tensor))
        names = {key: name for key, (name, _) in found.items()}
        return tuple(self._described(name, tensor, names) for name, tensor in found.values())

    def _described(self, name: str, tensor: torch.Tensor, names: Mapping[int, str]) -> LiveTensor:
        node: Any = made_by(tensor)
        base = base_of(tensor)
        unrecorded = self.recorder.unrecorded(tensor)
        stack, region = self.lines_behind(node), None
        if unrecorded is not None:
            stack = self._lines(unrecorded.spot)
            region = self._lines((unrecorded.region, OUTSIDE)) if unrecorded.region else None
        return LiveTensor(
            name=name,
            spec=spec_of(tensor),
            requires_grad=tensor.requires_grad,
            is_leaf=is_leaf(tensor),
            node=op_name(node) if node is not None else "",
            made=stack[0] if stack else None,
            stack=stack,
            sequence=sequence_of(node),
            version=version_of(tensor),
            is_view=base is not None,
            base=names.get(id(base), ""),
            inference=tensor.is_inference(),
            region=region[0] if region else None,
            step=step_of(tensor),
            steps=steps_behind(tensor, self.ends),
        )

    def lines_behind(self, node: Any) -> tuple[Place, ...]:
        """Give the user's lines that made a node, innermost first; none where unknown."""
        mark: Any = node.metadata.get(MARK, ()) if node is not None else ()
        return self._lines((mark[0], mark[1])) if len(mark) > 1 else ()

    def _lines(self, spot: Spot) -> tuple[Place, ...]:
        if not isinstance(spot[0], Site):
            return ()
        return tuple(
            Place(relative_to(code.co_filename, self.start), number, code.co_name)
            for code, _, number in lines_of(spot)
        )
