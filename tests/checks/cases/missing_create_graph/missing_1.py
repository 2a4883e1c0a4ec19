import torch
from torch import nn
net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
o = torch.optim.Adam(net.parameters())
for _ in range(3):
    x = torch.rand(9, 1, requires_grad=True)
    u = net(x)
    du = torch.autograd.grad(u.sum(), x)[0]  # <<
    loss = (du + u).pow(2).mean()
    o.zero_grad(); loss.backward(); o.step()
