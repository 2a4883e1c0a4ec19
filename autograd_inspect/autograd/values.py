"""The values of a tensor, where they were asked for."""

from __future__ import annotations

import numpy as np
import torch

from autograd_inspect.model.tables import Floats


def values_of(tensor: torch.Tensor) -> Floats | None:
    """Copy the values of a real tensor in double precision; None where it does not give them."""
    try:
        # The program's own tensor classes are not asked: that would run its code.
        with torch._C.DisableTorchFunction(), torch.no_grad():
            plain = tensor.detach()
            dense = plain if plain.layout is torch.strided else plain.to_dense()
            values: Floats = dense.cpu().to(torch.float64).numpy().astype(np.float64, copy=True)
    except (NotImplementedError, RuntimeError, TypeError):
        return None
    return values
