"""Ends in a backward that fails, for a tensor was modified by an in-place operation."""

import torch

w = torch.ones(3, requires_grad=True)
w.sin().sum().backward()
h = w.exp()
h += 1
(h * w).sum().backward()
