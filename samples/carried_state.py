"""A hidden state that goes from batch to batch with its graph, and the line that carries it.

Try:
    agi check samples/carried_state.py    # exits with 1
    agi check samples/carried_state.py --detached
    agi rule state_carries_graph

Look at: torch says that the graph was used a second time, at the line of backward(). What follows
the traceback names the variable that carried the old graph, the line that made it, and the backward
that had used it up; with --detached there is nothing to say.
"""

import sys

import torch
from torch import nn

torch.manual_seed(0)
cell, head = nn.GRUCell(2, 8), nn.Linear(8, 1)
optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.1)
hidden = torch.zeros(4, 8)

for batch in range(4):
    hidden = cell(torch.randn(4, 2), hidden)
    loss = head(hidden).pow(2).mean()
    print(f"loss {loss.item():.6f}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if "--detached" in sys.argv:
        hidden = hidden.detach()
