import torch
from torch import nn
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = []  # <<
        for a, b in zip(sizes, sizes[1:]):
            self.layers.append(nn.Linear(a, b))  # <<
        self.out = nn.Linear(sizes[-1], 1)
    def forward(self, x):
        for l in self.layers:
            x = l(x).relu()
        return self.out(x)
def main():
    m = MLP([3, 4, 4]); o = torch.optim.Adam(m.parameters())
    for _ in range(3):
        o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
main()
