"""A multilayer perceptron of five like layers, between a first and a last one."""

import torch
from torch import nn

torch.manual_seed(0)
hidden = [part for _ in range(5) for part in (nn.Linear(64, 64), nn.ReLU())]
net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), *hidden, nn.Linear(64, 10))
labels = torch.randint(10, (8,))
loss = nn.functional.cross_entropy(net(torch.randn(8, 16)), labels)
loss.backward()
