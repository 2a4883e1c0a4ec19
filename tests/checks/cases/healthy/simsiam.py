import torch
from torch import nn
f, h = nn.Linear(4, 4), nn.Linear(4, 4); o = torch.optim.SGD([*f.parameters(), *h.parameters()], lr=.1)
for _ in range(3):
    z1, z2 = f(torch.randn(4, 4)), f(torch.randn(4, 4))
    loss = -(nn.functional.cosine_similarity(h(z1), z2.detach()).mean() + nn.functional.cosine_similarity(h(z2), z1.detach()).mean())
    o.zero_grad(); loss.backward(); o.step()
