"""Hooks that compute: before and after a forward, and around a backward."""

import torch
from torch import nn


def before(module, inputs):
    return (inputs[0].sin(),)  # makes: SinBackward0


def after(module, inputs, output):
    return output * module.weight.mean()  # makes: MeanBackward0 MulBackward0


def observe(module, grads_in, grads_out):
    return None


model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
model[0].register_forward_pre_hook(before)
model[1].register_forward_hook(after)
model[1].register_full_backward_hook(observe)
x = torch.randn(3, 2, requires_grad=True)
h = model(x)
y = h.exp()  # makes: ExpBackward0
y.register_hook(lambda grad: grad * h.cos())  # makes: CosBackward0 MulBackward0
(slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
with torch.autograd.graph.saved_tensors_hooks(lambda x: x.clone(), lambda x: x):
    loss = (slope * h).sum()  # makes: MulBackward0 SumBackward0
