import torch
from torch import nn
m = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
d = [p for p in m.parameters() if p.ndim > 1]; nd = [p for p in m.parameters() if p.ndim < 2]
o = torch.optim.AdamW([{"params": d}, {"params": nd, "weight_decay": 0}])
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
