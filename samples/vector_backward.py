"""backward with a vector: a tensor doubled until its norm passes 1000 is no scalar.

Try:
    agi trace samples/vector_backward.py
    agi grads

Look at: one MulBackward0 per doubling, and how many there are is only known once it has run. Each
gradient is that power of two times an element of the vector that was handed to backward.
"""

import torch

torch.manual_seed(0)
x = torch.randn(3, requires_grad=True)
y = x * 2
doublings = 1
while y.detach().norm() < 1000:
    y = y * 2
    doublings += 1

y.backward(torch.tensor([0.1, 1.0, 0.0001]))
print(f"{doublings} doublings, a factor of {2**doublings}")
print("gradient:", x.grad.tolist())
