import torch
from torch import nn
g = nn.Linear(3, 8)
o = torch.optim.Adam(g.parameters())
for _ in range(3):
    y = g(torch.randn(10, 3))
    counts = torch.histc(y.sigmoid(), 10, 0., 1.)  # <<
    loss = counts.var() + 0 * y.detach().sum()
    o.zero_grad(); loss.backward(); o.step()
