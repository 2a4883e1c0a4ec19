"""detach: the same values, without the history that led to them.

Try:
    agi trace samples/detach.py:detached    # exits with 5
    agi grads samples/detach.py:mixed

Look at: `mixed` multiplies a tensor by a detached copy of itself. One factor leads back to `x`, the
other nowhere, so the gradient is the copy, not twice of it.
"""

import torch

torch.manual_seed(0)
x = torch.rand(5, requires_grad=True)

attached = x.exp().sum()
detached = x.detach().exp().sum()
mixed = (x * x.detach()).sum()
mixed.backward()

print("same values:", torch.equal(attached, detached))
print("the gradient is the copy:", torch.equal(x.grad, x.detach()))
