import torch
from torch import nn
net = nn.Linear(3, 1)
o = torch.optim.SGD(net.parameters(), lr=.1)
for _ in range(3):
    loss = nn.functional.mse_loss(net(torch.randn(5, 3)), torch.ones(5, 1)).item()  # <<
    o.zero_grad()
    loss.backward()  # <<
    o.step()
