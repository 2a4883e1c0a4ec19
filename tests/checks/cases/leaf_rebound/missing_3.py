import torch
a = torch.tensor(1., requires_grad=True)
for i in range(4):
    loss = (a - 3) ** 2
    loss.backward()
    a = a.detach() - .1 * a.grad  # <<
