"""Ends in an exception from within a module's forward, on the way out of a backward that failed."""

import torch
from torch import nn


class Inner(nn.Module):
    def forward(self, x):
        return x @ torch.ones(5)


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()

    def forward(self, x):
        return self.inner(x.sin())


w = torch.ones(2, 3, requires_grad=True)
w.cos().sum().backward()
h = w.exp()
h += 1
try:
    (h * w).sum().backward()
finally:
    Outer()(w)
