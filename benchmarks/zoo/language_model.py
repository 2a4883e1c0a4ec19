"""The GPT of `gpt.py`, one step: `language_model.py LAYERS`."""

import sys
from pathlib import Path

import torch
from torch.nn import functional

sys.path.append(str(Path(__file__).resolve().parents[1]))
from gpt import GPT

layers = int(sys.argv[1]) if len(sys.argv) > 1 else 12
torch.manual_seed(0)
model = GPT(32, 64, 16, layers)
tokens = torch.randint(64, (2, 17))
loss = functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
loss.backward()
