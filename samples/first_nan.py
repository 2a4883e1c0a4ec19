"""The loss is finite, a gradient is NaN: the branch that a mask leaves out has no derivative.

Try:
    agi trace samples/first_nan.py:loss
    agi grads --nodes
    agi render --svg --color grad

Look at: the lines below the tree. They name the operation that first sent on a gradient which is
not finite, the element, and the saved value that explains it: the square root is taken at zero,
where its derivative is infinite, and `where` multiplies that by zero. In the picture everything
from there to the leaf has the colour of NaN.
"""

import torch
from torch import nn


class Distance(nn.Module):
    """Distances between points, those of a point to itself masked out."""

    def __init__(self):
        super().__init__()
        self.points = nn.Parameter(torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]))

    def forward(self):
        apart = self.points[:, None] - self.points[None, :]
        squared = apart.pow(2).sum(2)
        length = squared.sqrt()
        return torch.where(squared > 0, length, 0.0)


model = Distance()
loss = model().mean()
loss.backward()
print(f"loss {loss.item():.3f}, gradient {model.points.grad[0].tolist()}")
