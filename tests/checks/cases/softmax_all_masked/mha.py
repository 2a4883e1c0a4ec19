import torch
from torch import nn

torch.manual_seed(0)
mha = nn.MultiheadAttention(8, 2, batch_first=True)
x = torch.randn(2, 5, 8)
lengths = torch.tensor([5, 0])
mask = torch.arange(5)[None] >= lengths[:, None]
out, _ = mha(x, x, x, key_padding_mask=mask)  # <<
loss = out.mean()
loss.backward()
