import torch
from torch import nn
net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)); o = torch.optim.Adam(net.parameters())
for _ in range(3):
    pos = torch.randn(6, 3, requires_grad=True)
    e = net(pos).sum()
    f = -torch.autograd.grad(e, pos, retain_graph=True)[0]  # <<
    loss = (e - 1) ** 2 + f.pow(2).mean()
    o.zero_grad(); loss.backward(); o.step()
