import torch
w = torch.randn(3, 2, requires_grad=True).double()  # <<
x = torch.randn(5, 3).double()
loss = (x @ w).pow(2).sum()
loss.backward()
w.data -= 0.1 * w.grad  # <<
