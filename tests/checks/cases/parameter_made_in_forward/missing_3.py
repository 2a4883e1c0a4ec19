import torch
from torch import nn
class S(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(3, 3))
        self.b = nn.Parameter(torch.randn(3))
    def forward(self, x):
        w = nn.Parameter(self.w / self.w.norm())  # <<
        return x @ w + self.b
m = S(); o = torch.optim.SGD(m.parameters(), lr=.1)
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
