import torch
from torch import nn
net = nn.Linear(3, 1); o = torch.optim.SGD(net.parameters(), lr=.1)
for i in range(4):
    e = net(torch.randn(8, 3)).pow(2)
    w = (e.detach() > e.detach().median()).float()
    loss = (w * e).mean()
    o.zero_grad(); loss.backward(); o.step()
