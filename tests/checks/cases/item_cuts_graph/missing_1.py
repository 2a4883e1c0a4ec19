import torch
from torch import nn
net = nn.Linear(3, 1)
o = torch.optim.SGD(net.parameters(), lr=.1)
total = 0
for _ in range(3):
    total += net(torch.randn(5, 3)).pow(2).mean().item()  # <<
loss = torch.tensor(total / 3, requires_grad=True)
loss.backward()
o.step()
