import torch
from torch import nn
class Router(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(4, 3)
        self.experts = nn.ModuleList(nn.Linear(4, 2) for _ in range(3))
    def forward(self, x):
        idx = torch.max(self.gate(x), dim=1)[1]  # <<
        outs = torch.stack([e(x) for e in self.experts], 1)
        return outs[torch.arange(len(x)), idx]
def main():
    m = Router()
    o = torch.optim.SGD(m.parameters(), lr=0.1)
    for _ in range(4):
        loss = m(torch.randn(16, 4)).pow(2).mean()
        o.zero_grad(); loss.backward(); o.step()
main()
