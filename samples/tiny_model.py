"""A tiny model in training: 1000 inputs, 100 hidden units, 10 outputs, batches of 16.

Try:
    agi trace samples/tiny_model.py:loss
    agi grads samples/tiny_model.py:loss --step 3 --sort norm -- --accumulate

Look at: the two layers and the leaves below them, named as the model names them. `loss` is local to
a function; it is found where backward is called. `--step 3` waits for the third backward. With the
script's own option `--accumulate` nobody clears the gradients: what arrives is added to what was
there before, and the table says so.
"""

import argparse

import torch
from torch import nn


class TinyModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(1000, 100)
        self.readout = nn.Linear(100, 10)

    def forward(self, batch):
        return self.readout(self.hidden(batch).relu())


def train(model, batch, target, *, steps, accumulate):
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for step in range(1, steps + 1):
        loss = (model(batch) - target).square().sum()
        loss.backward()
        print(f"step {step}: loss {loss:.3f}, gradient {model.readout.weight.grad.norm():.3f}")
        if not accumulate:
            optimizer.step()
            optimizer.zero_grad()


parser = argparse.ArgumentParser()
parser.add_argument("--accumulate", action="store_true", help="neither step nor clear gradients")
options = parser.parse_args()
torch.manual_seed(0)
model = TinyModel()
train(model, torch.randn(16, 1000), torch.randn(16, 10), steps=5, accumulate=options.accumulate)
