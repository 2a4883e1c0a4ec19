import torch
from torch import nn
class R(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(3, 4); self.out = nn.Linear(4, 1)
    def forward(self, x):
        h = torch.zeros(x.size(0), 4)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h.detach())  # <<
        return self.out(h)
m = R(); o = torch.optim.SGD(m.parameters(), lr=.1)
for ep in range(3):
    o.zero_grad(); m(torch.randn(2, 6, 3)).pow(2).mean().backward(); o.step()
