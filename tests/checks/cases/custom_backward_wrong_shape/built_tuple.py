import torch


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        gradients = [grad @ w.t()]
        gradients.append(grad.t() @ x)
        return tuple(gradients)  # <<


x, w = torch.rand(4, 3, requires_grad=True), torch.rand(3, 2, requires_grad=True)
Product.apply(x, w).sum().backward()
