"""A DenseNet: in each block every layer sees the outputs of all layers before it."""

import torch
from torch import nn


class DenseLayer(nn.Module):
    def __init__(self, before, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, 4 * growth, 1)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1)

    def forward(self, features):
        x = self.conv1(self.norm1(torch.cat(features, 1)).relu())
        return self.conv2(self.norm2(x).relu())


class DenseBlock(nn.Module):
    def __init__(self, before, growth, layers):
        super().__init__()
        self.layers = nn.ModuleList(
            DenseLayer(before + number * growth, growth) for number in range(layers)
        )

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(features))
        return torch.cat(features, 1)


class Transition(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(
            nn.BatchNorm2d(before), nn.ReLU(), nn.Conv2d(before, after, 1), nn.AvgPool2d(2)
        )


torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),
    DenseBlock(8, 4, 6),
    Transition(32, 16),
    DenseBlock(16, 4, 12),
    Transition(64, 32),
    DenseBlock(32, 4, 8),
    nn.BatchNorm2d(64),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(64, 10),
)
loss = nn.functional.cross_entropy(net(torch.randn(2, 3, 16, 16)), torch.tensor([1, 2]))
loss.backward()
