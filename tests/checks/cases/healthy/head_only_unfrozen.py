import torch
from torch import nn
body, head = nn.Linear(3, 4), nn.Linear(4, 1)
o = torch.optim.SGD(head.parameters(), lr=.1)
for _ in range(3):
    o.zero_grad(); head(body(torch.randn(4, 3))).pow(2).mean().backward(); o.step()
