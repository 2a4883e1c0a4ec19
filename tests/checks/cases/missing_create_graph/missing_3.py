import torch
from torch import nn
net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
o = torch.optim.Adam(net.parameters())
def penalty(loss):
    gs = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)  # <<
    return sum(g.pow(2).sum() for g in gs)
for _ in range(3):
    l = net(torch.randn(4, 3)).pow(2).mean()
    total = l + 0.1 * penalty(l)
    o.zero_grad(); total.backward(); o.step()
