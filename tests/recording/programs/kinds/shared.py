"""One module called again and again, and one parameter owned by two."""

import torch
from torch import nn

layer = nn.Linear(3, 3)
tied = nn.Linear(3, 3)
tied.weight = layer.weight
h = torch.randn(2, 3)
for _ in range(4):
    h = layer(h)  # makes: AddmmBackward0 TBackward0
    h = torch.relu(h)  # makes: ReluBackward0
h = tied(h) + layer(h)  # makes: AddBackward0 AddmmBackward0 TBackward0
loss = h.sum()  # makes: SumBackward0
