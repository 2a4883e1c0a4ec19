import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), 0.1)
x = torch.randn(16, 4)
y = x.sum(1)
for _ in range(3):
    err = net(x) - y  # <<
    loss = (err**2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
