import copy

import torch
from torch import nn

model = nn.Linear(3, 1)
meta = torch.optim.Adam(model.parameters(), lr=1e-3)
for _ in range(2):
    total, learners = 0.0, []
    for _ in range(5):
        fast = copy.deepcopy(model)
        inner = torch.optim.SGD(fast.parameters(), lr=0.1)
        fast(torch.rand(4, 3)).square().mean().backward()
        inner.step()
        inner.zero_grad()
        total = total + fast(torch.rand(4, 3)).square().mean()
        learners.append(fast)
    total.backward()
    for p, *own in zip(model.parameters(), *(one.parameters() for one in learners), strict=True):
        p.grad = sum(one.grad for one in own)
    meta.step()
