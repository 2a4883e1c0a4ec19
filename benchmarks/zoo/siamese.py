"""A siamese net: one network looks at three images, and a triplet loss compares what it saw."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 8, 3, stride=2),
    nn.ReLU(),
    nn.Conv2d(8, 16, 3, stride=2),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(16 * 6 * 6, 32),
)
anchor, like, unlike = (net(torch.randn(4, 1, 28, 28)) for _ in range(3))
loss = nn.functional.triplet_margin_loss(anchor, like, unlike)
loss.backward()
