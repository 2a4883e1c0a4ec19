"""Only leaves keep their gradient; agi shows the others when they are named.

Try:
    agi grads samples/only_leaves.py:loss
    agi grads samples/only_leaves.py:loss --retain hidden --retain output

Look at: without `--retain` the rows of `hidden` and `output` say why they have no gradient; with it
their gradients are there, and the program never notices: its own `.grad` stays None.
"""

import warnings

import torch

torch.manual_seed(0)
weight = torch.randn(4, 3, requires_grad=True)
batch = torch.randn(8, 4)

hidden = batch @ weight
output = hidden.tanh()
loss = output.square().mean()
loss.backward()

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch warns of reading .grad where there can be none
    print("weight has a gradient:", weight.grad is not None)
    print("hidden has a gradient:", hidden.grad is not None)
