"""Checkpoints of both kinds, nested, and differentiated twice.

The nodes of a checkpoint that is not reentrant are made by the forward, and so have its lines, also
those that a backward with `create_graph` makes again; of one that is, there is one node, made where
the checkpoint is called.
"""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x).tanh()  # makes: AddmmBackward0 TBackward0 TanhBackward0


def nested(x):
    h = checkpoint(Block_1, x, use_reentrant=False)
    return h.sin()  # makes: SinBackward0


def wave(x):
    return x.exp().sin()  # makes: ExpBackward0


Block_1, Block_2 = Block(), Block()
x = torch.randn(3, 4, requires_grad=True)
h = checkpoint(nested, x, use_reentrant=False)
h = checkpoint(Block_2, h, use_reentrant=True)  # makes: CheckpointFunctionBackward
h = checkpoint_sequential(  # makes: CheckpointFunctionBackward ReluBackward0
    nn.Sequential(nn.Tanh(), nn.ReLU()), 2, h, use_reentrant=True
)
with torch.autograd.graph.save_on_cpu():
    h = h.exp()  # makes: ExpBackward0
y = checkpoint(wave, h, use_reentrant=False)
(slope,) = torch.autograd.grad(y.sum(), h, create_graph=True)  # makes: CosBackward0 MulBackward0
loss = (slope * h).sum()  # makes: MulBackward0 SumBackward0
