"""A function with a backward of its own: it is a node of its own, marked as such.

Try:
    agi trace samples/custom_function.py:loss

Look at: the line of `RoundStraightBackward`, marked as custom, with what it was made from below it.
Rounding has no useful derivative; this one lets the gradient through where the input was in range.
"""

import torch


class RoundStraight(torch.autograd.Function):
    @staticmethod
    def forward(x, limit):
        return x.clamp(-limit, limit).round()

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.limit = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= ctx.limit), None


torch.manual_seed(0)
x = (3 * torch.randn(6, 4)).requires_grad_()
loss = RoundStraight.apply(x, 2.0).square().sum()
loss.backward()
print(f"loss {loss.item():.1f}, gradient {x.grad.count_nonzero()} of {x.numel()} let through")
