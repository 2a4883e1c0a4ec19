import torch
from torch import nn
a, b = nn.Linear(3, 3), nn.Linear(3, 3)
oa, ob = torch.optim.Adam(a.parameters()), torch.optim.Adam(b.parameters())
for i in range(3):
    loss = a(torch.randn(2, 3)).pow(2).mean()
    oa.zero_grad(); loss.backward(); oa.step()
