import torch


class Affine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain, bias):
        ctx.save_for_backward(x, gain)
        return x * gain + bias

    @staticmethod
    def backward(ctx, grad):
        x, gain = ctx.saved_tensors
        of_gain = None
        of_x = grad * gain
        if ctx.needs_input_grad[1]:
            of_gain = grad.sum(0)  # <<
        return of_x, of_gain, grad.sum(0)


gain, bias = torch.ones(3, requires_grad=True), torch.zeros(3, requires_grad=True)
Affine.apply(torch.randn(8, 3), gain, bias).square().mean().backward()
