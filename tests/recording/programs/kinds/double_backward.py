"""Nodes made by a backward: their line is the one that called it."""

import torch


def penalty(y, x):
    z = y.sum()
    (slope,) = torch.autograd.grad(z, x, create_graph=True)  # makes: CosBackward0 MulBackward0
    return slope.pow(2).mean()  # makes: MeanBackward0 PowBackward0


w = torch.randn(3, requires_grad=True)
x = torch.randn(3, requires_grad=True)
y = (w * x).sin()  # makes: MulBackward0
first = penalty(y, x)
v = torch.randn(3, requires_grad=True)
v.exp().sum().backward(create_graph=True)  # makes: CopyBackwards ExpBackward0 MulBackward0
second = v.grad.sum()  # makes: SumBackward0
loss = first + second  # makes: AddBackward0
