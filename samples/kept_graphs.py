"""Two ways to keep every step's graph in memory: a running sum, and a list of outputs.

Try:
    agi check samples/kept_graphs.py    # exits with 1
    agi check samples/kept_graphs.py --numbers
    agi check --json --exit-zero samples/kept_graphs.py

Look at: the program trains well and only becomes larger. `total` and `outputs` are found with the
lines that fill them; with --numbers they are given what has no graph.
"""

import sys

import torch
from torch import nn

plain = "--numbers" in sys.argv
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
total, outputs = 0.0, []

for batch in range(6):
    inputs = torch.randn(32, 8)
    predicted = model(inputs)
    loss = (predicted - inputs.sum(dim=1, keepdim=True)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    total += loss.item() if plain else loss
    outputs.append(predicted.detach() if plain else predicted)
print(f"mean loss {torch.as_tensor(total).item() / 6:.4f}")
