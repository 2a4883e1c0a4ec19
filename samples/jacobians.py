"""Functions to differentiate: Jacobians, Hessians and their products with vectors.

Try:
    agi functional jacobian samples/jacobians.py:exp_adder --inputs "(x, y)"
    agi functional jacobian samples/jacobians.py:exp_adder --inputs "(x, y)" --strategy forward
    agi functional vjp samples/jacobians.py:do_some_doubling --inputs z --v my_gradients
    agi functional hessian samples/jacobians.py:energy --inputs "(x, y)"
    agi functional hvp samples/jacobians.py:energy --inputs "(x, y)" --v "(y, x)"
    agi functional jacobian samples/jacobians.py:net --inputs batch --wrt weight --wrt input

Look at: the Jacobian of `exp_adder` is a block by each input: 2 exp(x) on a diagonal, and 3 times
the identity. The doubling multiplies `my_gradients` by a power of two. `energy` couples x[i] with
y[i] alone, so that each block of its Hessian is diagonal. In a layer, each sample depends on itself
alone: the block by its input is block diagonal. What was computed in reverse mode is computed in
forward mode, too, and compared.
"""

import torch
from torch import nn


def exp_adder(x, y):
    return 2 * x.exp() + 3 * y


def do_some_doubling(x):
    y = x * 2
    while y.data.norm() < 1000:
        y = y * 2
    return y


def energy(x, y):
    return (x.square() * y).sum() + y.exp().sum()


torch.manual_seed(0)
x, y = torch.rand(3), torch.rand(3)
z = torch.randn(3)
my_gradients = torch.tensor([0.1, 1.0, 0.0001])
net = nn.Linear(3, 2)
batch = torch.randn(4, 3)
print("energy:", energy(x.requires_grad_(), y).item())
energy(x, y).backward()
