"""A training loop that never clears its gradients, beside one that accumulates them on purpose.

Try:
    agi train samples/forgotten_zero_grad.py
    agi train --json samples/forgotten_zero_grad.py
    agi train samples/forgotten_zero_grad.py --accumulate

Look at: without zero_grad() the gradients of every step are added to those already used, their norm
grows, and agi says so; with --accumulate four backward calls add up before each step, as they
should, and that is all it says.
"""

import sys

import torch
from torch import nn

accumulate = "--accumulate" in sys.argv
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

for batch in range(48):
    inputs = torch.randn(32, 8)
    loss = (model(inputs) - inputs.sum(dim=1, keepdim=True)).pow(2).mean()
    if not accumulate:
        loss.backward()
        optimizer.step()
    else:
        (loss / 4).backward()
        if batch % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
print(f"loss {loss.item():.4f}")
