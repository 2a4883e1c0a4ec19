"""Checkpointing: less is kept for backward, and what is missing is computed once more.

Try:
    agi trace samples/checkpointed.py:loss
    agi trace samples/checkpointed.py:loss --reentrant
    agi trace samples/checkpointed.py:loss --plain

Look at: by default the graph is that of the plain model, only that its tensors are not held. With
`--reentrant` a block is one node, CheckpointFunctionBackward, and what is inside does not exist
until backward runs. The gradients are the same every time.
"""

import argparse

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

options = argparse.ArgumentParser()
options.add_argument("--reentrant", action="store_true")
options.add_argument("--plain", action="store_true")
asked = options.parse_args()

torch.manual_seed(0)
blocks = nn.ModuleList(nn.Sequential(nn.Linear(16, 16), nn.GELU()) for _ in range(3))
x = torch.randn(4, 16, requires_grad=True)
output = x
for block in blocks:
    if asked.plain:
        output = block(output)
    else:
        output = checkpoint(block, output, use_reentrant=asked.reentrant)
loss = output.square().mean()
loss.backward()
print(f"loss {loss.item():.6f}, gradient norm {blocks[0][0].weight.grad.norm():.6f}")
