import torch
from torch import nn
import torch.nn.functional as F
m = nn.Linear(3, 2); o = torch.optim.SGD(m.parameters(), lr=.1)
for _ in range(3):
    x = torch.randn(4, 3, requires_grad=True); y = torch.randint(0, 2, (4,))
    g, = torch.autograd.grad(F.cross_entropy(m(x), y), x)
    adv = (x + .1 * g.sign()).detach()
    loss = F.cross_entropy(m(adv), y) + F.cross_entropy(m(x + .1 * g), y)
    o.zero_grad(); loss.backward(); o.step()
