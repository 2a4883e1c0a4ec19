"""One module called several times: which call made which node.

Try:
    agi trace samples/called_again.py:loss
    agi show --all
    agi path cell.weight_hh
    agi render --svg -o called_again.svg

Look at: every node of the cell says which of its calls it belongs to, and the picture has a frame
for each; the path from the recurrent weight to the loss is counted, not listed.
"""

import torch
from torch import nn

torch.manual_seed(0)
cell, readout = nn.RNNCell(3, 8), nn.Linear(8, 1)
state = torch.zeros(4, 8)
for step in torch.randn(6, 4, 3):
    state = cell(step, state)
loss = readout(state).square().mean()
loss.backward()
print(f"loss {loss.item():.6f}")
