import torch
from torch import nn
cell = nn.GRUCell(2, 8); flow = nn.Linear(8, 2)
o = torch.optim.SGD([*cell.parameters(), *flow.parameters()], lr=.1)
for ep in range(3):
    h, c = torch.zeros(3, 8), torch.zeros(3, 2); loss = 0.
    for i in range(4):
        c = c.detach()
        h = cell(c, h)
        c = c + flow(h)
        loss = loss + .8 ** i * (c - 1).abs().mean()
    o.zero_grad(); loss.backward(); o.step()
