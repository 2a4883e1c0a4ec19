"""Gradients that are not plain numbers: complex ones, and sparse ones.

Try:
    agi trace samples/complex_and_sparse.py:loss
    agi grads

Look at: the gradient of `window` is complex, its mean too. That of the embedding is sparse: rows of
words that do not occur are not stored, and count as zeros in the share of zeros.
"""

import torch
from torch import nn

torch.manual_seed(0)
embedding = nn.Embedding(1000, 16, sparse=True)
window = torch.randn(9, dtype=torch.complex64, requires_grad=True)

words = torch.tensor([3, 14, 15, 92, 65, 35])
spectrum = torch.fft.rfft(embedding(words)) * window
loss = torch.fft.irfft(spectrum).square().mean()
loss.backward()
print(f"loss {loss.item():.6f}")
print("window:", window.grad.dtype, "embedding:", embedding.weight.grad.layout)
