"""Four like blocks under names of their own, called one after the other."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.inner, self.outer = (
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.Linear(2 * width, width),
        )

    def forward(self, x):
        return x + self.outer(self.inner(self.norm(x)).relu())


class Net(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.first, self.second, self.third, self.fourth = (Block(width) for _ in range(4))
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        x = self.first(x)
        x = self.second(x)
        x = self.third(x)
        x = self.fourth(x)
        return self.head(x)


torch.manual_seed(0)
net = Net()
loss = nn.functional.cross_entropy(net(torch.randn(4, 16)), torch.tensor([0, 1, 2, 0]))
loss.backward()
