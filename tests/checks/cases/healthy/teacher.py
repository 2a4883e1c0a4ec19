import torch, copy
from torch import nn
s = nn.Linear(3, 3); t = copy.deepcopy(s)
o = torch.optim.SGD(s.parameters(), lr=.1)
for _ in range(4):
    x = torch.randn(4, 3)
    with torch.no_grad():
        target = t(x)
    loss = (s(x) - target).pow(2).mean()
    o.zero_grad(); loss.backward(); o.step()
    with torch.no_grad():
        for a, b in zip(t.parameters(), s.parameters()):
            a.mul_(.9).add_(b, alpha=.1)
