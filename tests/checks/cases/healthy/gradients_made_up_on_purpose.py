import torch


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > 0).float()

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        return grad / (1 + 10 * v.abs()) ** 2


class ClampThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clamp(-1, 1)

    @staticmethod
    def backward(ctx, grad):
        return grad.clone()


class LearnedStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, step):
        ctx.save_for_backward(w, step)
        return (w / step).round() * step

    @staticmethod
    def backward(ctx, grad):
        w, step = ctx.saved_tensors
        ratio = w / step
        return grad, (grad * (ratio.round() - ratio)).sum().reshape(step.shape)


class ReplaceGrad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, shown, learning):
        return shown

    @staticmethod
    def backward(ctx, grad):
        return None, grad


w = torch.randn(40, requires_grad=True)
step = torch.tensor(0.2, requires_grad=True)
rate = Spike.apply(w * 0.01) + ClampThrough.apply(w * 2) + LearnedStep.apply(w, step)
(ReplaceGrad.apply(rate.detach().round(), rate) - torch.rand(40)).square().mean().backward()
