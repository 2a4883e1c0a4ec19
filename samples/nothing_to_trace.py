"""A program that only evaluates: there is no graph, and agi says so with status 5.

Try:
    agi trace samples/nothing_to_trace.py    # exits with 5
    agi trace samples/nothing_to_trace.py:labels    # exits with 5

Look at: the program runs to its end, with its output; then one line says that nothing was recorded,
and what can be seen of the reason. Nothing is saved.
"""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(10, 3).eval()
with torch.no_grad():
    labels = model(torch.randn(6, 10)).argmax(1)
    score = model(torch.ones(10)).norm()
print("labels:", labels.tolist())
