"""A thousand small steps: time that goes into making nodes, not into arithmetic.

Try: agi profile samples/many_steps.py:loss
Look at: div costs more than mul in backward: it has two gradients to compute, and one of them takes
three operations. `agi profile --by node` tells each of the two thousand nodes apart.
"""

import torch

torch.manual_seed(0)
x = (torch.rand(1000, 10) + 0.5).requires_grad_()
y = (torch.rand(1000, 10) + 0.5).requires_grad_()
z = torch.ones_like(x)

for _ in range(1000):
    z = (z / x) * y

loss = z.sum()
loss.backward()
print(f"{loss.item():.4e}")
