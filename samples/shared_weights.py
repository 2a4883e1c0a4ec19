"""Shared weights: a recurrent cell unrolled over fifty steps, with one set of parameters.

Try:
    agi trace samples/shared_weights.py:loss
    agi grads

Look at: the steps repeat and are folded; the leaves of the cell are there once, however often they
are used, and the gradient of each is the sum over all steps.
"""

import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, inputs, states):
        super().__init__()
        self.from_input = nn.Linear(inputs, states)
        self.from_state = nn.Linear(states, states, bias=False)

    def forward(self, x, state):
        return torch.tanh(self.from_input(x) + self.from_state(state))


torch.manual_seed(0)
cell = Cell(5, 8)
state = torch.zeros(3, 8)
for x in torch.randn(50, 3, 5):
    state = cell(x, state)
loss = state.square().mean()
loss.backward()
print(f"loss {loss.item():.4f}, gradient {cell.from_state.weight.grad.norm():.4f}")
