import torch
from torch import nn
cell = nn.LSTMCell(3, 4); out = nn.Linear(4, 1)
o = torch.optim.SGD([*cell.parameters(), *out.parameters()], lr=.1)
for ep in range(3):
    h, c = torch.zeros(2, 4), torch.zeros(2, 4)
    loss = 0.
    for t in range(5):
        h, c = cell(torch.randn(2, 3), (h, c))
        loss = loss + out(h).pow(2).mean()
        h, c = h.detach(), c.detach()  # <<
    o.zero_grad(); loss.backward(); o.step()
