"""The same under the program's own anomaly mode, which warns and shows where the node was made."""

import torch

torch.autograd.set_detect_anomaly(True)


def forward(w):
    h = w.exp()
    h += 1
    return h


w = torch.ones(3, requires_grad=True)
w.sin().sum().backward()
forward(w).sum().backward()
