"""Layers that take over a weight which another one made untie nothing."""

import torch
from torch import nn
from torch.nn.utils import prune


class Adapted(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.weight, self.bias = base.weight, base.bias
        self.weight.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(2, 4))
        self.up = nn.Parameter(torch.zeros(4, 2))

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias) + x @ self.down.t() @ self.up.t()


class TakenOver(nn.Module):
    def __init__(self):
        super().__init__()
        made = nn.Linear(4, 4)
        self.weight, self.bias = made.weight, made.bias

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias)


class Reader(nn.Module):
    """Its table and its output begin with zeros, and are two."""

    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(4, 4), nn.Linear(4, 4, bias=False)
        nn.init.zeros_(self.table.weight)
        nn.init.zeros_(self.out.weight)

    def forward(self, x):
        return self.out(x) + self.table(torch.arange(len(x)) % 4)


torch.manual_seed(0)
net = nn.Sequential(
    TakenOver(),
    nn.Tanh(),
    nn.Linear(4, 4),
    nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4)),
    nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)),
    prune.l1_unstructured(nn.Linear(4, 4), "weight", amount=0.3),
    Reader(),
)
net[2] = Adapted(net[2])
opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.1)
x = torch.randn(16, 4)
for _ in range(3):
    opt.zero_grad()
    loss = (net(x) - x).pow(2).mean()
    loss.backward()
    opt.step()
