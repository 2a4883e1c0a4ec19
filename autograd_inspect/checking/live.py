"""Tensors that the program leads to where it stands, told without keeping them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from autograd_inspect.autograd._torch import base_of, op_name, sequence_of, version_of
from autograd_inspect.autograd.details import spec_of
from autograd_inspect.model.facts import LiveTensor
from autograd_inspect.model.places import Place
from autograd_inspect.recording.creation import MARK
from autograd_inspect.recording.places import lines_of
from autograd_inspect.recording.sites import Site
from autograd_inspect.run.files import relative_to
from autograd_inspect.training.graphs import step_of

#: Tensors that are listed.
_MOST = 500


def live_tensors(named: Iterable[tuple[str, torch.Tensor]], start: Path) -> tuple[LiveTensor, ...]:
    """Describe tensors, each once and by its first name."""
    found: dict[int, tuple[str, torch.Tensor]] = {}
    for name, tensor in named:
        if len(found) < _MOST:
            found.setdefault(id(tensor), (name, tensor))
    names = {key: name for key, (name, _) in found.items()}
    return tuple(_described(name, tensor, names, start) for name, tensor in found.values())


def _described(
    name: str, tensor: torch.Tensor, names: Mapping[int, str], start: Path
) -> LiveTensor:
    node: Any = tensor.grad_fn
    stack = lines_behind(node, start)
    base = base_of(tensor)
    return LiveTensor(
        name=name,
        spec=spec_of(tensor),
        requires_grad=tensor.requires_grad,
        is_leaf=tensor.is_leaf,
        node=op_name(node) if node is not None else "",
        made=stack[0] if stack else None,
        stack=stack,
        sequence=sequence_of(node),
        version=version_of(tensor),
        is_view=base is not None,
        base=names.get(id(base), ""),
        inference=tensor.is_inference(),
        step=step_of(tensor),
    )


def lines_behind(node: Any, start: Path) -> tuple[Place, ...]:
    """Give the user's lines that made a node, innermost first; none where they are not known."""
    mark: Any = node.metadata.get(MARK, ()) if node is not None else ()
    if len(mark) < 2 or not isinstance(mark[0], Site):
        return ()
    lines = lines_of((mark[0], mark[1]))
    return tuple(
        Place(relative_to(code.co_filename, start), number, code.co_name)
        for code, _, number in lines
    )
