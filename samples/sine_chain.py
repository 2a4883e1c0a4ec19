"""A sine, a factor, an offset and a sum: the smallest graph worth looking at.

Try:
    agi trace samples/sine_chain.py:out
    agi grads samples/sine_chain.py:out --retain scaled
    agi trace samples/sine_chain.py:shifted --grad-output "torch.ones(25)"

Look at: the chain from the sum back to `angle`, one line per operation; out = 25, since a sine sums
to nothing over a whole turn and each of the 25 points adds one; and the gradient of `angle`, which
is 2 cos(angle): its largest value is 2, its smallest -2. `shifted` is not a scalar, so it is told
with which gradient to start.
"""

import math

import torch

angle = torch.linspace(0, 2 * math.pi, 25, requires_grad=True)
wave = angle.sin()
scaled = 2 * wave
shifted = scaled + 1
out = shifted.sum()
out.backward()

print(f"out = {out.item():.4f}")
print("the gradient is 2 cos(angle):", torch.equal(angle.grad, 2 * angle.detach().cos()))
print("the gradient of an intermediate result is kept:", scaled.retains_grad)
