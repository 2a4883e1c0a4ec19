"""A GPT of which every block is computed anew in backward: `checkpointed.py LAYERS [REENTRANT]`."""

import sys
from pathlib import Path

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

sys.path.append(str(Path(__file__).resolve().parents[1]))
from gpt import GPT

layers = int(sys.argv[1]) if len(sys.argv) > 1 else 12
torch.manual_seed(0)
model = GPT(32, 64, 16, layers)
tokens = torch.randint(64, (2, 17))
x = model.words(tokens[:, :-1]) + model.places(torch.arange(16))
for block in model.blocks:
    x = checkpoint(block, x, use_reentrant="reentrant" in sys.argv)
logits = model.head(model.norm(x))
loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
loss.backward()
