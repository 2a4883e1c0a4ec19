import torch
from torch import nn
net = nn.Linear(3, 1); o = torch.optim.SGD(net.parameters(), lr=.1)
ema = None
for i in range(4):
    l = net(torch.randn(4, 3)).pow(2).mean()
    ema = l.item() if ema is None else .9 * ema + .1 * l.item()
    o.zero_grad(); (l / max(ema, 1e-3)).backward(); o.step()
