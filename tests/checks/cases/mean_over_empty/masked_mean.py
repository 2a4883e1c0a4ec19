import torch
from torch import nn


def masked_mean(v, mask):
    return (v * mask).sum() / mask.sum()  # <<


torch.manual_seed(0)
net = nn.Linear(3, 1)
x = torch.randn(4, 3)
for i in range(3):
    mask = torch.ones(4, 1) if i < 2 else torch.zeros(4, 1)
    loss = masked_mean(net(x).pow(2), mask)
    net.zero_grad()
    loss.backward()
