import torch
from torch import nn
class L(nn.Module):
    def __init__(s):
        super().__init__(); s.base = nn.Linear(4, 4).requires_grad_(False)
        s.a = nn.Parameter(torch.randn(2, 4)); s.b = nn.Parameter(torch.zeros(4, 2))
    def forward(s, x): return s.base(x) + x @ s.a.T @ s.b.T
m = L(); o = torch.optim.Adam([p for p in m.parameters() if p.requires_grad])
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 4)).pow(2).mean().backward(); o.step()
