import torch
from torch import nn
net = nn.Linear(3, 1)
for _ in range(3):
    net(torch.randn(4, 3)).pow(2).mean().backward()
    for p in net.parameters():
        p = p - 0.1 * p.grad  # <<
    net.zero_grad()
