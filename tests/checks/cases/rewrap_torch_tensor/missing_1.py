import torch
from torch import nn
class Rot(nn.Module):
    def __init__(self):
        super().__init__()
        self.angle = nn.Parameter(torch.tensor(0.3))
        self.off = nn.Parameter(torch.zeros(2))
    def forward(self, p):
        c, s = self.angle.cos(), self.angle.sin()
        R = torch.tensor([[c, -s], [s, c]])  # <<
        return p @ R.T + self.off
m = Rot(); o = torch.optim.Adam(m.parameters(), lr=.1)
for _ in range(4):
    o.zero_grad(); m(torch.randn(5, 2)).pow(2).mean().backward(); o.step()
