import torch
from torch import nn
a = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(2.0, requires_grad=True)
o = torch.optim.SGD([a, b], lr=.1)
for _ in range(3):
    v = torch.Tensor([a, b])  # <<
    loss = (v ** 2).sum() + (a - 1) ** 2
    o.zero_grad(); loss.backward(); o.step()
