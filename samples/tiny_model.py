"""A tiny model in training: 1000 inputs, 100 hidden units, 10 outputs, batches of 16.

Try:
    agi trace samples/tiny_model.py:loss
    agi grads samples/tiny_model.py:loss --step 3 --sort norm
    agi grads samples/tiny_model.py:loss --step 3 -- --accumulate

Look at: the two layers and the leaves below them, named as the model names them. `loss` is local to
a function; it is found where backward is called. `--step 3` waits for the third backward. With
`--accumulate` nobody clears the gradients: they are marked as added to those from before.
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
        print(f"step {step}: loss {loss.item():.3f}, {model.readout.weight.grad.norm():.3f}")
        if not accumulate:
            optimizer.step()
            optimizer.zero_grad()


options = argparse.ArgumentParser()
options.add_argument("--accumulate", action="store_true", help="neither step nor clear gradients")
torch.manual_seed(0)
train(TinyModel(), torch.randn(16, 1000), torch.randn(16, 10), steps=5, **vars(options.parse_args()))
