import torch
from torch import nn
class Att(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = torch.zeros(3, requires_grad=True)  # <<
        self.f = nn.Linear(3, 3)
    def forward(self, x):
        return self.f(x) + self.bias
m = Att(); o = torch.optim.SGD(m.parameters(), lr=.1)
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
