"""Backwards that are meant to be another thing than the derivative of their forward."""

import torch
from torch import nn
from torch.autograd import Function

torch.manual_seed(0)


class ReplaceGrad(Function):
    @staticmethod
    def forward(ctx, x_forward, x_backward):
        ctx.shape = x_backward.shape
        return x_forward

    @staticmethod
    def backward(ctx, grad):
        return None, grad.sum_to_size(ctx.shape)


class ClampWithGrad(Function):
    @staticmethod
    def forward(ctx, x, lo, hi):
        ctx.lo, ctx.hi = lo, hi
        ctx.save_for_backward(x)
        return x.clamp(lo, hi)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (g * (x - x.clamp(ctx.lo, ctx.hi)) >= 0), None, None


class GuidedReLU(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.clamp(min=0)
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g.clamp(min=0) * (x > 0)


class LSQ(Function):
    @staticmethod
    def forward(ctx, w, alpha, scale):
        ctx.save_for_backward(w, alpha)
        ctx.scale = scale
        return (w / alpha).clamp(-4, 3).round() * alpha

    @staticmethod
    def backward(ctx, g):
        w, alpha = ctx.saved_tensors
        q = w / alpha
        small, big = (q < -4).float(), (q > 3).float()
        mid = 1 - small - big
        ga = ((small * -4 + big * 3 + mid * (q.round() - q)) * g * ctx.scale).sum().unsqueeze(0)
        return mid * g, ga, None


class FALinear(Function):
    @staticmethod
    def forward(ctx, x, w, fb):
        ctx.save_for_backward(x, fb)
        return x @ w.t()

    @staticmethod
    def backward(ctx, g):
        x, fb = ctx.saved_tensors
        return g @ fb, g.t() @ x, None


class Spike(Function):
    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return (u > 0).float()

    @staticmethod
    def backward(ctx, g):
        (u,) = ctx.saved_tensors
        return g / (10 * u.abs() + 1) ** 2


net = nn.Linear(6, 4)
code = nn.Embedding(8, 4)
alpha = nn.Parameter(torch.tensor([0.1]))
w = nn.Parameter(torch.randn(4, 4) * 0.3)
w2 = nn.Parameter(torch.randn(3, 4) * 0.3)
fb = torch.randn(3, 4)
opt = torch.optim.Adam([*net.parameters(), *code.parameters(), alpha, w, w2], 1e-2)
for _ in range(3):
    x = torch.randn(8, 6)
    z = net(x)
    q = code(torch.cdist(z, code.weight).argmin(1))
    commit = (q - z.detach()).pow(2).mean() + 0.25 * (z - q.detach()).pow(2).mean()
    z = ReplaceGrad.apply(q.detach(), z)
    z = ClampWithGrad.apply(z * 3, -1.0, 1.0)
    z = GuidedReLU.apply(z @ LSQ.apply(w, alpha, 0.05))
    z = FALinear.apply(z, w2, fb)
    out = Spike.apply(z)
    loss = (out.mean(1) - (x.sum(1) > 0).float()).pow(2).mean() + commit
    opt.zero_grad()
    loss.backward()
    opt.step()
