"""A thousand steps of little arithmetic: which operation they spend their time in, and where.

Try:
    agi profile samples/many_steps.py:loss
    agi profile --by line
    agi profile --by node --top 5
    agi profile --by module --json
    agi profile --force --speedscope many_steps.json
    agi profile --force --chrome many_steps.trace.json samples/many_steps.py:loss

Look at: div allocates twice as much as mul, because the gradient of what is divided by takes
several operations; all two thousand nodes were made in one line, and each has times of its own;
making the tensors is outside the graph.
"""

import torch

torch.manual_seed(0)
x = (1 + torch.rand(1000, 10) / 100).requires_grad_()
y = (1 + torch.rand(1000, 10) / 100).requires_grad_()
z = torch.ones_like(x)

for _ in range(1000):
    z = (z / x) * y

loss = z.sum()
loss.backward()
print(f"{loss.item():.4e}")
