"""In-place writes, to views and through views; a view's node is made anew when it is next used."""

import torch

w = torch.randn(4, 4, requires_grad=True)
base = w.clone()  # makes: CloneBackward0
row, column = base[0], base[:, 1]
base.mul_(2)  # makes: MulBackward0
row.add_(1)
first = row.sum()  # makes: SumBackward0
column[2:].zero_()  # makes: CopySlices
out = column.sum() + first + base.diagonal().prod()
out += base.mean()  # makes: AddBackward0 MeanBackward0
with torch.no_grad():
    w.mul_(0.5)
loss = out
