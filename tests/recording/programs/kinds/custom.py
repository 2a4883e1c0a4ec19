"""Functions with a forward and a backward of their own, in both styles, nested, of two outputs."""

import torch
from torch import nn
from torch.autograd import Function


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x * x * grad  # makes: MulBackward0


class Halves(Function):
    @staticmethod
    def forward(x):
        return x[::2].clone(), x[1::2].clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.width = len(inputs[0])

    @staticmethod
    def backward(ctx, first, second):
        return torch.stack([first, second], 1).flatten()


class WithGraphInside(Function):
    @staticmethod
    def forward(ctx, x):
        with torch.enable_grad():
            ctx.inside = Cube.apply(x.detach().requires_grad_())
        return ctx.inside.detach()

    @staticmethod
    def backward(ctx, grad):
        return grad


class Layer(nn.Module):
    def forward(self, x):
        first, second = Halves.apply(x)  # makes: HalvesBackward
        return cubed(first) + second  # makes: AddBackward0


def cubed(x):
    return Cube.apply(x)  # makes: CubeBackward


w = torch.randn(4, requires_grad=True)
h = Layer()(w)
h = WithGraphInside.apply(h)  # makes: WithGraphInsideBackward
(slope,) = torch.autograd.grad(cubed(h).sum(), h, create_graph=True)
loss = slope.sum()  # makes: SumBackward0
