import torch
from torch import nn
class N(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3); self.aux = nn.Linear(3, 2)
    def forward(self, x):
        h = self.a(x)
        return h, self.aux(h)  # <<
def train():
    m = N(); o = torch.optim.SGD(m.parameters(), lr=.1)
    for ep in range(4):
        out, aux = m(torch.randn(4, 3))
        o.zero_grad(); out.pow(2).mean().backward(); o.step()
train()
