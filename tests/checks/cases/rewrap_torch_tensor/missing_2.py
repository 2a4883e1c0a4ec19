import torch
from torch import nn
net = nn.Linear(2, 1)
o = torch.optim.SGD(net.parameters(), lr=.1)
for ep in range(3):
    losses = [net(torch.randn(4, 2)).pow(2).mean() for _ in range(3)]
    total = torch.tensor(losses, requires_grad=True).mean()  # <<
    o.zero_grad()
    total.backward()
    o.step()
