"""Modules that are compiled: as a whole, as a part of one that is not, and in place."""

import torch
from torch import nn


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x).relu()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.before, self.part = nn.Linear(4, 4), Part()

    def forward(self, x):
        x = self.before(x).sin()
        return self.part(x).cos()


x = torch.randn(3, 4)
whole, outer, inplace = Net(), Net(), Net()
compiled = torch.compile(whole, backend="aot_eager")
outer.part = torch.compile(outer.part, backend="aot_eager")
inplace.part.compile(backend="aot_eager")
losses = {"whole": compiled(x), "outer": outer(x), "inplace": inplace(x)}
