"""Recording switched off and on: no_grad as context and as decorator, enable_grad inside of it.

Try:
    agi trace samples/no_grad_regions.py:recorded
    agi trace samples/no_grad_regions.py:silent    # exits with 5
    agi trace samples/no_grad_regions.py:again

Look at: the same sum of the same two leaves, computed in five places. Where nothing was recorded
(`silent`, `decorated`) the status is 5 and one line says why; enable_grad records even inside
no_grad (`again`, `redecorated`).
"""

import torch


def total(left, right):
    return (left + right).sum()


@torch.no_grad()
def total_silently(left, right):
    return total(left, right)


@torch.enable_grad()
def total_recorded(left, right):
    return total(left, right)


left = torch.full((2, 3), 2.0, requires_grad=True)
right = torch.full((2, 3), 3.0, requires_grad=True)

recorded = total(left, right)
decorated = total_silently(left, right)
with torch.no_grad():
    silent = total(left, right)
    redecorated = total_recorded(left, right)
    with torch.enable_grad():
        again = total(left, right)

print("recorded:", recorded, "again:", again, "redecorated:", redecorated)
print("silent:", silent, "decorated:", decorated)
