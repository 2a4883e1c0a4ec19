import torch
from torch import nn
class S(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Linear(3, 3)
    def forward(self, x):
        scale = nn.Parameter(torch.ones(3))  # <<
        return self.f(x) * scale
m = S(); o = torch.optim.SGD(m.parameters(), lr=.1)
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
