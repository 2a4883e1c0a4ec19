import torch
from torch import nn
m = nn.Sequential(nn.Linear(3, 4)); o = torch.optim.SGD(m.parameters(), lr=.1)
m.append(nn.Linear(4, 2)); o.add_param_group({"params": m[1].parameters()})
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
