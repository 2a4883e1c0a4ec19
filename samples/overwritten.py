"""A saved tensor is overwritten before backward, and the line that did it is found.

Try:
    agi trace --watch samples/overwritten.py:loss    # exits with 1
    agi show

Look at: torch says that a variable "has been modified by an inplace operation", and not where. The
capture says it: which tensor of which operation was overwritten, and by which line.
"""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        out = torch.sigmoid(self.linear(x))
        out += x
        return out


torch.manual_seed(0)
block = Block()
loss = block(torch.randn(3, 4)).sum()
print(f"loss {loss.item():.6f}")
loss.backward()
