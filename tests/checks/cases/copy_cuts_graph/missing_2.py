import torch
from torch import nn
hyper, net = nn.Linear(2, 3), nn.Linear(3, 1, bias=False)
o = torch.optim.Adam(hyper.parameters())
for _ in range(3):
    net.weight.data = hyper(torch.randn(1, 2))  # <<
    loss = net(torch.randn(4, 3)).pow(2).mean()
    o.zero_grad(); loss.backward(); o.step()
