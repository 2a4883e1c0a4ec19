"""A tensor whose requires_grad is switched off: what was computed before keeps its graph.

Try:
    agi trace samples/requires_grad_off.py:before --grad-output "torch.ones(2, 3)"
    agi trace samples/requires_grad_off.py:after    # exits with 5
    agi trace samples/requires_grad_off.py:again --grad-output "torch.ones(2, 3)"

Look at: `before` has a graph, and its only leaf says that it no longer requires grad; `after` has
none, which is status 5 and a reason in words.
"""

import torch

frozen = torch.ones(2, 3, requires_grad=True)
before = 2 * frozen

frozen.requires_grad_(False)
after = 2 * frozen

learning = torch.ones(2, 3, requires_grad=True)
again = frozen * learning

for name, tensor in {"before": before, "after": after, "again": again}.items():
    print(name, "has a graph" if tensor.grad_fn else "has none")
