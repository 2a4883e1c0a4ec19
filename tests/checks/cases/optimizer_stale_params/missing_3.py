import torch
from torch import nn
class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 4); self.b = None
    def forward(self, x):
        h = self.a(x)
        if self.b is None:
            self.b = nn.Linear(4, 2)  # <<
        return self.b(h)
m = Lazy(); o = torch.optim.SGD(m.parameters(), lr=.1)  # <<
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
