import copy

import torch
from torch import nn

torch.manual_seed(0)
pi = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Tanh())
q = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
qt = copy.deepcopy(q).requires_grad_(False)
po = torch.optim.Adam(pi.parameters(), 1e-3)
qo = torch.optim.Adam(q.parameters(), 1e-3)
for _ in range(6):
    s, a, r, s2 = torch.randn(8, 3), torch.rand(8, 1), torch.rand(8, 1), torch.randn(8, 3)
    with torch.no_grad():
        y = r + 0.9 * qt(torch.cat([s2, pi(s2)], 1))
    ql = nn.functional.mse_loss(q(torch.cat([s, a], 1)), y)
    qo.zero_grad()
    ql.backward()
    qo.step()
    pl = -q(torch.cat([s, pi(s)], 1)).mean()
    po.zero_grad()
    pl.backward()
    po.step()
    with torch.no_grad():
        for t, p in zip(qt.parameters(), q.parameters(), strict=False):
            t.lerp_(p, 0.05)
