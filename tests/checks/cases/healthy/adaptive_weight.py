import torch
from torch import nn
net = nn.Linear(3, 2); o = torch.optim.Adam(net.parameters())
for _ in range(3):
    y = net(torch.randn(4, 3)); a, b = y[:, 0].pow(2).mean(), y[:, 1].pow(4).mean()
    ga = torch.autograd.grad(a, net.weight, retain_graph=True)[0].norm()
    gb = torch.autograd.grad(b, net.weight, retain_graph=True)[0].norm()
    loss = a + ga / (gb + 1e-4) * b
    o.zero_grad(); loss.backward(); o.step()
