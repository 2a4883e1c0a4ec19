import torch
from torch import nn
mu = torch.zeros(3, requires_grad=True); ls = torch.zeros(3, requires_grad=True)
o = torch.optim.SGD([mu, ls], lr=.1)
for _ in range(3):
    z = torch.normal(mu, ls.exp())  # <<
    loss = (z - 1).pow(2).mean()
    o.zero_grad(); loss.backward(); o.step()
