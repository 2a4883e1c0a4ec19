"""A model of modules within modules, and a loss that is a module."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        h = self.norm(x)  # makes: NativeLayerNormBackward0
        h = self.linear(h)  # makes: AddmmBackward0 TBackward0
        return x + self.mix(h)  # makes: AddBackward0

    def mix(self, h):
        return torch.relu(h) * self.scale  # makes: MulBackward0 ReluBackward0


model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), Block(8), Block(8), nn.Linear(8, 3))
x, target = torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
logits = model(x)  # makes: AddmmBackward0 TBackward0 TanhBackward0
loss = nn.CrossEntropyLoss()(logits, target)  # makes: LogSoftmaxBackward0 NllLossBackward0
