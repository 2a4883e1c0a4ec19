"""A Jacobian from torch.autograd.functional: one backward call per row of it.

Try:
    agi trace samples/functional_api.py
    agi grads samples/functional_api.py --step 2

Look at: the backward calls are made by torch, one for each element of the result; agi takes the
first, or with `--step 2` the second. The two leaves are torch's own copies of x and y. Each row of
the Jacobian has one element that is not zero: 2 exp(x) for x, 3 for y.
"""

import torch
from torch.autograd.functional import jacobian


def mix(x, y):
    return 2 * x.exp() + 3 * y


torch.manual_seed(0)
x, y = torch.rand(3), torch.rand(3)
by_x, by_y = jacobian(mix, (x, y))
print("by x, the diagonal of 2 exp(x):", torch.equal(by_x, (2 * x.exp()).diag()))
print("by y, that of 3:", torch.equal(by_y, 3 * torch.eye(3)))
