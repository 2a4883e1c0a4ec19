"""What was wrong with the values of a graph before its backward began."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from autograd_inspect.autograd._torch import in_transform
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.observed import Origin
from autograd_inspect.model.places import Place
from autograd_inspect.recording.flow import Flow
from autograd_inspect.recording.places import lines_of
from autograd_inspect.recording.sites import Spot
from autograd_inspect.recording.values import Born
from autograd_inspect.run.files import relative_to

Spoiled = tuple[str, tuple[Origin, ...]]
"""A root that is not finite, by name, and where that came from."""

Unseen = tuple[int, str, Place | None]
"""A write through `.data`: the row of what was saved, the operation, and its line."""


def spoiled_roots(
    flow: Flow | None, roots: Sequence[object], names: Sequence[str], start: Path
) -> tuple[Spoiled, ...]:
    """Tell which losses are not finite, and where that came from."""
    if flow is None or not flow.values.born or in_transform():
        return ()
    tensors = [one for one in roots if isinstance(one, torch.Tensor)]
    found = []
    for name, root in zip(names, tensors, strict=False):
        born = flow.values.behind(root)
        if born is not None:
            found.append((name, chain_of(born, start)))
    return tuple(found)


def hidden_writes(flow: Flow | None, walked: Walk, start: Path) -> tuple[Unseen, ...]:
    """Find what was written through `.data` since a node saved it."""
    last = flow.writes.last if flow is not None else {}
    if not any(at in last and last[at].hidden for at in walked.storages):
        return ()
    found = []
    table = walked.graph.saved_table
    for row, (node, number) in enumerate(
        zip(table.node.tolist(), table.storage.tolist(), strict=True)
    ):
        write = last.get(walked.storages[number]) if number >= 0 else None
        sequence = int(walked.graph.node_table.sequence[node])
        if write is not None and write.hidden and write.sequence > sequence >= 0:
            place = next(iter(stack_of(write.spot, start)), None)
            found.append((row, write.op, place))
    return tuple(found)


def chain_of(born: Born, start: Path) -> tuple[Origin, ...]:
    """Tell where a value came from, the latest first."""
    found = []
    one: Born | None = born
    while one is not None:
        found.append(Origin(one.op, one.value, stack_of(one.spot, start), one.given))
        one = one.cause
    return tuple(found)


def stack_of(spot: Spot, start: Path) -> tuple[Place, ...]:
    """Give the user's lines of a spot, innermost first."""
    return tuple(
        Place(relative_to(code.co_filename, start), line, code.co_name)
        for code, _, line in lines_of(spot)
    )
