import torch
from torch import nn
class Prune(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Parameter(torch.full((4,), 0.2))
        self.w = nn.Parameter(torch.randn(4, 4))
    def mask(self):
        return torch.ge(self.w.abs(), self.t)  # <<
    def forward(self, x):
        return x @ (self.w * self.mask().to(x.dtype))
m = Prune(); o = torch.optim.SGD(m.parameters(), lr=.1)
for _ in range(2):
    o.zero_grad(); m(torch.randn(4,4)).pow(2).mean().backward(); o.step()
