import torch
from torch import nn
import torch.nn.functional as F
class Dec(nn.Module):
    def __init__(self):
        super().__init__()
        self.sel = nn.Parameter(torch.randn(6))
        self.emb = nn.Embedding(6, 4)
        self.out = nn.Linear(4, 1)
    def forward(self):
        k = F.one_hot(self.sel.argmin(), 6).float()  # <<
        return self.out(k @ self.emb.weight)
m = Dec()
o = torch.optim.Adam(m.parameters())
for i in range(3):
    o.zero_grad()
    l = (m() - 1).pow(2).sum()
    l.backward()
    o.step()
