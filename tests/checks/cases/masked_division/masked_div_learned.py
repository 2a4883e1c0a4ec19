import torch
from torch import nn

torch.manual_seed(0)
den = nn.Parameter(torch.tensor([0.0, 1.0, 2.0]))
num = torch.tensor([1.0, 1.0, 1.0])
mask = (den.detach() != 0).float()
r = num / den  # <<
r = torch.nan_to_num(r, posinf=0.0) if False else r
loss = r.masked_select(den.detach() != 0).sum()
loss.backward()
