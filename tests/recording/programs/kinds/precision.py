"""Autocast, complex numbers, sparse tensors, and what torch does by several operations at once."""

import torch
from torch import nn

w = torch.randn(3, 4, requires_grad=True)
layer = nn.Linear(4, 4)
with torch.autocast("cpu", dtype=torch.bfloat16):
    h = layer(w)
    h = layer(h)
spectrum = torch.fft.rfft(h.float())
h = torch.einsum("ij,kj->ik", spectrum.abs(), spectrum.angle())
table = nn.Embedding(5, 3, sparse=True)
h = h @ table(torch.tensor([1, 2, 1])).T
attended = nn.functional.scaled_dot_product_attention(*[h.view(1, 1, 3, 3)] * 3)
encoder = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)
values, _ = torch.linalg.qr(encoder(w[None])[0])
foreach = torch._foreach_mul([h, h.sin()], 2)
loss = attended.sum() + values.sum() + sum(one.sum() for one in foreach)
