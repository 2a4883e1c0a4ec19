import torch
x = torch.rand(6, requires_grad=True)
y = (x ** 3).sum()
g, = torch.autograd.grad(y, x.clone())  # <<
