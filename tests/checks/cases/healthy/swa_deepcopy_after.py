import torch, copy
from torch import nn
from torch.optim.swa_utils import AveragedModel
m = nn.Linear(3, 1); o = torch.optim.SGD(m.parameters(), lr=.1); avg = AveragedModel(m)
for _ in range(4):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step(); avg.update_parameters(m)
