import torch
from torch import nn

cell, out = nn.LSTMCell(1, 8), nn.Linear(8, 1)
meta = torch.optim.Adam([*cell.parameters(), *out.parameters()], lr=1e-3)
a, b = torch.randn(6, 4), torch.randn(6)
theta, total = torch.randn(4, requires_grad=True), 0.0
h = c = torch.zeros(4, 8)
for _ in range(4):
    loss = (a @ theta - b).square().mean()
    total = total + loss
    (g,) = torch.autograd.grad(loss, theta, retain_graph=True)
    h, c = cell(g.detach()[:, None], (h, c))
    theta = theta + 0.1 * out(h)[:, 0]
total.backward()
meta.step()
