"""Only leaves keep their gradient; agi shows the others when they are named.

Try:
    agi grads samples/only_leaves.py:loss
    agi grads samples/only_leaves.py:loss --retain hidden --retain output

Look at: without `--retain` the rows of `hidden` and `output` say why they have no gradient; with it
their gradients are there, and the program does not notice: its own `.grad` stays as it is.
"""

import torch

torch.manual_seed(0)
weight = torch.randn(4, 3, requires_grad=True)
batch = torch.randn(8, 4)

hidden = batch @ weight
output = hidden.tanh()
loss = output.square().mean()
loss.backward()

print("weight is a leaf:", weight.is_leaf, "and has a gradient:", weight.grad is not None)
print("hidden is a leaf:", hidden.is_leaf, "and keeps a gradient:", hidden.retains_grad)
