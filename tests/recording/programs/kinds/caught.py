"""Exceptions raised and caught on the way, also inside of a forward."""

import torch
from torch import nn


class Fragile(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x, *, fail):
        h = self.linear(x)  # makes: AddmmBackward0 TBackward0
        if fail:
            raise ValueError(h)
        return h.sin()  # makes: SinBackward0


class Careful(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Fragile()

    def forward(self, x):
        try:
            return self.inner(x, fail=True)
        except ValueError as error:
            h = error.args[0].cos()  # makes: CosBackward0
        finally:
            x = x.exp()  # makes: ExpBackward0
        return h + self.inner(x, fail=False)  # makes: AddBackward0


class Interrupting(nn.Module):
    def forward(self, x):
        kept.append(x.tanh())  # makes: TanhBackward0
        raise KeyboardInterrupt


kept = []
w = torch.randn(3, 2, requires_grad=True)
try:
    Interrupting()(w)
except KeyboardInterrupt:
    h = kept[0].log1p()  # makes: Log1PBackward0
try:
    h @ torch.ones(5)
except RuntimeError:
    h = Careful()(h)
loss = h.sum()  # makes: SumBackward0
