"""A long sequence through one cell: 200 steps, and a loss that sees the last of them alone.

Try:
    agi render --html -o long_sequence.html samples/long_sequence.py:loss

Look at: the page shows one of the 200 steps, with a dashed arrow for what one step hands to the
next. `]` and `[` turn from step to step. Colour by gradient, select the loop and see the bars on
the right, one per step: the gradient fades from the last step to the first, as a tanh passes less
on than it gets. `p` shows the way from there to the loss, `x` all of the steps at once. The address
of the page keeps what you see: send it with the file.
"""

import torch
from torch import nn

torch.manual_seed(0)
cell = nn.RNNCell(6, 16)
readout = nn.Linear(16, 1)

state = torch.zeros(4, 16)
for step in range(200):
    state = cell(torch.randn(4, 6), state)
loss = readout(state).square().mean()
loss.backward()
print(f"loss {loss.item():.4f}, gradient of the first weight {cell.weight_ih.grad.norm():.4f}")
