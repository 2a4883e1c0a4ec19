"""torch.func: transforms of functions that close over a leaf, and modules called as functions."""

import torch
from torch import nn
from torch.func import functional_call, grad, jacrev, vmap


def energy(x):
    return (x * w).sin().sum()  # makes: MulBackward0


def scaled(x):
    return x * w  # makes: MulBackward0


def distance(x, y):
    return (x - y * w).norm()  # makes: LinalgVectorNormBackward0 MulBackward0 SubBackward0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x).relu()  # makes: AddmmBackward0 ReluBackward0 TBackward0


w = torch.randn(2, requires_grad=True)
x = torch.randn(3, 2)
slopes = vmap(grad(energy))(x)  # makes: CosBackward0 MulBackward0
batch = vmap(scaled)(x)
jacobian = jacrev(energy)(x[0])
both = vmap(vmap(distance, in_dims=(None, 0)), in_dims=(0, None))(x, x)
net = Net()
parameters = {name: one * 2 for name, one in net.named_parameters()}  # makes: MulBackward0
out = functional_call(net, parameters, (batch,))
loss = slopes.sum() + jacobian.sum() + both.sum() + out.sum()  # makes: AddBackward0 SumBackward0
