"""A backward under probes."""

from __future__ import annotations

from collections.abc import Callable

import torch

from autograd_inspect.autograd.probes import Probes
from autograd_inspect.autograd.walker import Walk, walk
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.levels import Probe


def probed(
    root: torch.Tensor, level: Probe = Probe.NODES, backward: Callable[[], object] | None = None
) -> tuple[Walk, Graph]:
    """Run a backward under probes."""
    walked = walk([root])
    probes = Probes(walked, level)
    with probes:
        backward() if backward else root.backward()
    assert probes.trouble is None
    return walked, probes.put_into(walked.graph)
