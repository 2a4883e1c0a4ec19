"""Gradients that vanish: sixteen layers with a sigmoid behind each.

Try:
    agi trace samples/vanishing.py:loss
    agi grads --nodes --sort +norm --top 5
    agi grads --plot vanishing.png samples/vanishing.py:loss
    agi render --svg --color grad

Look at: the column of gradients, and the plot, whose scale is logarithmic: the sizes still fall on
a straight line from the last layer down to the first. A sigmoid passes a quarter of a gradient on
at most, so each layer that is further from the loss gets a fraction of what the one behind it gets.
The strip below the plot shows the decades that the elements of each gradient lie in; the picture of
the graph fades from the root to the leaves.
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
