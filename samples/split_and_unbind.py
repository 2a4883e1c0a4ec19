"""Operations with several outputs: an edge says which of them it comes from.

Try:
    agi trace samples/split_and_unbind.py:loss

Look at: `split` and `unbind` have one shape per output; the lines that lead to them
name the output, and one output of the unbind is used by nobody.
"""

import torch
from torch import nn

torch.manual_seed(0)
project = nn.Linear(8, 24)
sequence = torch.randn(5, 8)

query, key, value = project(sequence).chunk(3, dim=-1)
attended = (query @ key.T).softmax(-1) @ value

first, _, third, *_ = attended.unbind(0)
loss = (first - third).square().sum()
loss.backward()
print(f"loss {loss.item():.6f}")
