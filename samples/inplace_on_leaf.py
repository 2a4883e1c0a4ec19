"""An operation in place on a leaf: torch refuses, and the program ends as it would without agi.

Try:
    agi trace samples/inplace_on_leaf.py    # exits with 1

Look at: the traceback and the status are the program's own. What it had reached is captured all the
same: `before` has a graph.
"""

import math

import torch

angle = torch.linspace(0, 2 * math.pi, 25, requires_grad=True)
before = angle.sin().sum()
print("computed before:", before.grad_fn.name())
angle.sin_()
print("never reached")
