"""A compiled function and a compiled module: one node each, made where they are called.

Anomaly mode has a frame more: the compiled code, whose line is that of the `def`.
"""

import torch
from torch import nn


def poly(x):
    h = x * 2
    return h.sin() + h.cos()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x).relu()


w = torch.randn(3, 2, requires_grad=True)
compiled = torch.compile(poly, backend="aot_eager")
h = compiled(w)  # makes: CompiledFunctionBackward
h = compiled(h)  # makes: CompiledFunctionBackward
net = torch.compile(Net(), backend="aot_eager")
h = net(h)  # makes: CompiledFunctionBackward
loss = h.sum()  # makes: SumBackward0
