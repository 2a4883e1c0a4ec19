"""A custom backward that forgets grad_output: right for a loss of its own, wrong inside of a graph.

Try:
    agi gradcheck samples/wrong_backward.py:loss    # exits with 1
    agi gradcheck samples/wrong_backward.py:volume --inputs "torch.rand(3) + 1"    # exits with 1
    agi gradcheck samples/wrong_backward.py:softplus --inputs "torch.randn(2, 3)"

Look at: `Product` loses the weight -0.05 of the penalty, so the sign of its gradient is wrong, and
its size: the analytic figure is -20 times the numeric one. `Softplus` is right, at this point and
with the gradient that came to it. A rounding with a gradient, `RoundThrough`, differs by design.
"""

import torch
from torch import nn


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        out = x.prod()
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, grad_output):
        x, out = ctx.saved_tensors
        return out / x


class Softplus(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp().log1p()

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * x.sigmoid()


class RoundThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return (8 * x).round() / 8

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


def volume(x):
    return Product.apply(x)


def softplus(x):
    return Softplus.apply(x)


class Scale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.diagonal = nn.Parameter(torch.linspace(1.0, 2.0, width))

    def forward(self, x):
        return softplus(x * RoundThrough.apply(self.diagonal))


torch.manual_seed(0)
scale = Scale(4)
x = torch.randn(16, 4)
loss = scale(x).square().mean() - 0.05 * volume(scale.diagonal)
print(f"loss {loss.item():.6f}")
loss.backward()
