"""An installed library between the user's lines: its own lines do not count, calls back do."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent / "site-packages"))
import installed_library as library


def inner(x):
    return x.sin()  # makes: SinBackward0


w = torch.randn(3, requires_grad=True)
h = library.scaled(w)  # makes: MulBackward0
h = library.applied(inner, h)  # makes: CosBackward0
h = library.Net(inner)(h)  # makes: AddmmBackward0 ExpBackward0 TBackward0 ViewBackward0
loss = h.sum()  # makes: SumBackward0
