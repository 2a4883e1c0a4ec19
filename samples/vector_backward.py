"""backward with a vector: a tensor doubled until its norm passes 1000, and a gradient to start with.

Try:
    agi trace samples/vector_backward.py
    agi grads samples/vector_backward.py
    agi trace samples/vector_backward.py:longer --grad-output "torch.ones(3)"

Look at: one MulBackward0 per doubling, folded where they repeat; how many there are is only known
once it has run. Each gradient is that power of two times the vector handed to backward.
"""

import torch

torch.manual_seed(0)
x = torch.randn(3, requires_grad=True)
y = x * 2
doublings = 1
while y.detach().norm() < 1000:
    y = y * 2
    doublings += 1
longer = y * 2

y.backward(torch.tensor([0.1, 1.0, 0.0001]))
print(f"{doublings} doublings, a factor of {2**doublings}")
print("gradient:", x.grad.tolist())
