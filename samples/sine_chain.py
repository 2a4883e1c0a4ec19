"""A sine, a factor, an offset and a sum: the smallest graph worth looking at.

Try:
    agi trace --retain scaled samples/sine_chain.py:out
    agi grads
    agi grads --plot sine.png samples/sine_chain.py:out

Look at: the chain from the sum back to `angle`, one line per operation; out is 25, since a sine
adds up to nothing over a whole turn and each of the 25 points adds one; and the gradient of
`angle`, 2 cos(angle), which lies between -2 and 2. `scaled` is no leaf and would keep no gradient,
so it is asked for. The plot draws `wave`, `scaled` and `shifted` against `angle`, and below them
the gradient, a cosine twice as high: where the sine rises fastest, it is largest.
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
print("an intermediate result keeps its gradient:", scaled.retains_grad)
