import torch
def energy(pos):
    return (pos ** 2).sum()
pos = torch.rand(4, 3, requires_grad=True)
e = energy(pos)
first = pos.view(-1)  # <<
f = -torch.autograd.grad(e, first)[0]
