"""Gradients that vanish: sixteen layers with a sigmoid behind each.

Try:
    agi grads --plot vanishing.png samples/vanishing.py:loss

Look at: the plot's scale is logarithmic, and the sizes still fall on a straight line from the last
layer down to the first: a sigmoid passes a quarter of a gradient on at most, so each layer that is
further from the loss gets a fraction of what the one behind it gets. The strip below shows the
decades that the elements of each gradient lie in.
"""

import torch
from torch import nn

torch.manual_seed(0)
layers = [layer for _ in range(16) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
net = nn.Sequential(*layers)
loss = net(torch.randn(4, 16)).mean()
loss.backward()

first, last = net[0].weight.grad.norm(), net[-2].weight.grad.norm()
print(f"the first layer's gradient is {last / first:.0e} times smaller than the last one's")
