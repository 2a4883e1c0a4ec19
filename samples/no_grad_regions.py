"""Recording switched off and on: no_grad as context and as decorator, enable_grad inside of it.

Try:
    agi trace samples/no_grad_regions.py:recorded
    agi trace samples/no_grad_regions.py:silent     # exits with 5
    agi trace samples/no_grad_regions.py:decorated  # exits with 5
    agi trace samples/no_grad_regions.py:again
    agi trace samples/no_grad_regions.py:redecorated

Look at: the same sum of the same two leaves, computed in five places. Where nothing was recorded
the status is 5 and one line says why; enable_grad records even inside no_grad.
"""

import torch


def total(left, right):
    return (left + right).sum()


@torch.no_grad()
def total_silently(left, right):
    return (left + right).sum()


@torch.enable_grad()
def total_recorded(left, right):
    return (left + right).sum()


left = torch.full((2, 3), 2.0, requires_grad=True)
right = torch.full((2, 3), 3.0, requires_grad=True)

recorded = total(left, right)
decorated = total_silently(left, right)
with torch.no_grad():
    silent = total(left, right)
    redecorated = total_recorded(left, right)
    with torch.enable_grad():
        again = total(left, right)

for name in ("recorded", "silent", "decorated", "again", "redecorated"):
    tensor = globals()[name]
    print(f"{name:12} {tensor.item()} {'has a graph' if tensor.grad_fn else 'has none'}")
