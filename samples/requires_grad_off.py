"""A tensor whose requires_grad is switched off: what was computed before keeps its graph.

Try:
    agi trace --grad-output "torch.ones(2, 3)" samples/requires_grad_off.py:before
    agi trace samples/requires_grad_off.py:after    # exits with 5

Look at: `before` has a graph, and the line of its only leaf says that it no longer requires grad;
`after` has none, which is status 5 and a reason in words.
"""

import torch

switched = torch.ones(2, 3, requires_grad=True)
before = 2 * switched

switched.requires_grad_(False)
after = 2 * switched

print("before:", before)
print("after:", after)
