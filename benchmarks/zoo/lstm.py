"""A recurrent network over many steps: `lstm.py KIND STEPS`, KIND `cell`, `module` or `functional`."""

import sys

import torch
from torch import nn

kind = sys.argv[1] if len(sys.argv) > 1 else "cell"
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 64
torch.manual_seed(0)
series, readout = torch.randn(steps, 2, 4), nn.Linear(8, 1)

if kind == "cell":
    cell = nn.LSTMCell(4, 8)
    hidden = carry = torch.zeros(2, 8)
    for value in series:
        hidden, carry = cell(value, (hidden, carry))
    states = hidden
elif kind == "module":
    lstm = nn.LSTM(4, 8, num_layers=2)
    states, _ = lstm(series)
else:
    from_input = (torch.randn(4, 32) / 4).requires_grad_()
    from_hidden = (torch.randn(8, 32) / 4).requires_grad_()
    bias = torch.zeros(32, requires_grad=True)
    hidden = carry = torch.zeros(2, 8)
    outputs = []
    for value in series:
        gates = value @ from_input + hidden @ from_hidden + bias
        enter, forget, leave, new = gates.chunk(4, 1)
        carry = torch.sigmoid(forget) * carry + torch.sigmoid(enter) * torch.tanh(new)
        hidden = torch.sigmoid(leave) * torch.tanh(carry)
        outputs.append(hidden)
    states = torch.stack(outputs)

loss = readout(states).square().mean()
loss.backward()
