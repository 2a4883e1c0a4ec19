import torch
from torch import nn
import torch.nn.functional as F
layer = nn.Linear(4, 2)
opt = torch.optim.SGD(layer.parameters(), lr=.1)
for _ in range(2):
    q = torch.quantize_per_tensor(layer.weight, 0.05, 0, dtype=torch.qint8)  # <<
    loss = F.linear(torch.randn(3, 4), q.dequantize(), layer.bias).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
