import torch, copy
from torch import nn
def run():
    base = nn.Linear(3, 2)
    o = torch.optim.SGD(base.parameters(), lr=.1)  # <<
    m = copy.deepcopy(base)  # <<
    for _ in range(3):
        o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
run()
