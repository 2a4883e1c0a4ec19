import torch
from torch import nn
class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Parameter(torch.ones(3)).to(torch.float64)  # <<
        self.f = nn.Linear(3, 3).double()
    def forward(self, x):
        return self.f(x) * self.g
m = Scale(); o = torch.optim.SGD(m.parameters(), lr=.1)
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3).double()).pow(2).mean().backward(); o.step()
