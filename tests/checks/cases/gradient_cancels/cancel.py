import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 2)
for _ in range(2):
    z = net(torch.randn(4, 3))
    loss = (z.sum() - z.sum() * 1.0) + 0.0 * 1  # <<
    net.zero_grad()
    loss.backward()
