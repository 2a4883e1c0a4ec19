"""Checkpointing: less is kept for backward, and what is missing is computed once more.

Try:
    agi trace samples/checkpointed.py:loss
    agi trace samples/checkpointed.py:loss --reentrant

Look at: by default the graph is that of the model without checkpoints; what its nodes need is only
there while backward runs. With the script's own option `--reentrant` a block is one node, marked as
checkpoint, and the parameters are not in the graph at all. The gradients are the same.
"""

import argparse

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

parser = argparse.ArgumentParser()
parser.add_argument("--reentrant", action="store_true")
options = parser.parse_args()

torch.manual_seed(0)
blocks = nn.ModuleList(nn.Sequential(nn.Linear(16, 16), nn.GELU()) for _ in range(3))
x = torch.randn(4, 16, requires_grad=True)
output = x
for block in blocks:
    output = checkpoint(block, output, use_reentrant=options.reentrant)
loss = output.square().mean()
loss.backward()
print(f"loss {loss.item():.6f}, gradient {blocks[0][0].weight.grad.norm():.6f}")
