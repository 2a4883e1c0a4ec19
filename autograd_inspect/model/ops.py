"""The forward operation's name, read off autograd's name for its backward."""

from __future__ import annotations

import re
from functools import lru_cache

from autograd_inspect.model.tables import Kind

_BACKWARD = re.compile(r"Backward\d*$")
#: Where a word begins: torch makes `NllLoss2D` of `nll_loss2d`, so no word begins after a digit
#: unless it goes on in lower case.
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")


@lru_cache(maxsize=4096)
def forward_name(op: str, kind: Kind) -> str:
    """Name what ran forward: `addmm` for `AddmmBackward0`, `Swish` for a Function of that name.

    What has no forward operation of its own keeps autograd's name: `AccumulateGrad`, `CopySlices`.
    """
    stem = _BACKWARD.sub("", op)
    if not stem or stem == op:
        return op
    if kind in {Kind.OPERATION, Kind.VIEW}:
        return _WORD.sub("_", stem).lower()
    return stem
