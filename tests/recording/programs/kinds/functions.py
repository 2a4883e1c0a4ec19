"""Functions that call functions, methods, properties and operators."""

import functools

import torch


def innermost(x):
    return x.tanh()  # makes: TanhBackward0


def recursive(x, depth):
    if depth == 0:
        return innermost(x)
    return recursive(x.cos(), depth - 1)  # makes: CosBackward0


class Length:
    def __init__(self, metres):
        self.metres = metres

    def __add__(self, other):
        return Length(self.metres + other.metres)  # makes: AddBackward0

    @property
    def area(self):
        return self.metres**2  # makes: PowBackward0

    @classmethod
    def of(cls, metres):
        return cls(metres.abs())  # makes: AbsBackward0

    @staticmethod
    def squeezed(metres):
        return metres.sigmoid()  # makes: SigmoidBackward0


def outer(x, inner=innermost):
    def closure():
        return inner(x) * x  # makes: MulBackward0

    return closure()


w = torch.tensor([0.5, 0.25], requires_grad=True)
h = recursive(w, 12)
h = outer(h) - functools.reduce(torch.maximum, [h, w])  # makes: MaximumBackward0 SubBackward0
length = Length.of(h) + Length(Length.squeezed(h))
loss = length.area.sum()  # makes: SumBackward0
