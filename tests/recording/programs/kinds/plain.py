"""Statements at the top of a file."""

import torch

w = torch.tensor([1.0, 2.0], requires_grad=True)
b = torch.tensor(0.5, requires_grad=True)
h = w * 2  # makes: MulBackward0
h = h + b  # makes: AddBackward0
for _ in range(3):
    h = (
        h.sin()  # makes: SinBackward0
        .exp()  # makes: ExpBackward0
    )
h[0] = 0  # makes: CopySlices
if (h > 0).any():
    h = -h  # makes: NegBackward0
x, y = h.unbind()  # makes: UnbindBackward0
error = torch.nn.functional.mse_loss(x, y)  # makes: MseLossBackward0
loss = error + x.logsumexp(0)  # makes: AddBackward0 LogsumexpBackward0
