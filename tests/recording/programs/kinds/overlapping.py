"""Graphs that are built while a backward runs: by another thread, and by a hook within it."""

import threading

import torch


class Waiting(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        inside.set()
        assert built.wait(60)
        return grad


def backward():
    Waiting.apply(w.exp()).sum().backward()


def build(grad):
    with torch.enable_grad():
        kept.append((w * 2).sinh())  # makes: MulBackward0 SinhBackward0


inside, built, kept = threading.Event(), threading.Event(), []
w = torch.ones(3, requires_grad=True)
thread = threading.Thread(target=backward)
thread.start()
assert inside.wait(60)
h = w.sin()  # makes: SinBackward0
h = h.cos()  # makes: CosBackward0
built.set()
thread.join()
y = w.exp()
y.register_hook(build)
y.sum().backward()
loss = (kept[0] * h).sum()  # makes: MulBackward0 SumBackward0
