import torch
from torch import nn

emb = nn.Embedding(4, 3, padding_idx=0)
v = emb(torch.tensor([0, 1, 2]))
u = v / (v.norm(dim=-1, keepdim=True) + 1e-12)  # <<
loss = (u @ torch.ones(3)).sum()
loss.backward()
w = nn.Parameter(torch.zeros(3))
loss2 = (w / (w.norm() + 1e-12)).sum()  # <<
loss2.backward()
