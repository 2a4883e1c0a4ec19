"""Derivatives by differences of what a function gives, element by element and along directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Tensors = Sequence[torch.Tensor]
Forward = Callable[[list[torch.Tensor]], list[torch.Tensor]]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How large a step is, relative to what it is taken from, and how far off a gradient may be."""

    eps: float
    atol: float
    rtol: float


#: Steps and tolerances by the precision of the computation. For float64 those of torch's own
#: gradcheck; the coarser a number, the larger the step that still leaves digits in a difference.
ACCURACY = {
    torch.float64: Accuracy(1e-6, 1e-5, 1e-3),
    torch.float32: Accuracy(5e-3, 2e-3, 2e-2),
    torch.float16: Accuracy(6e-2, 5e-2, 1e-1),
    torch.bfloat16: Accuracy(2e-1, 1e-1, 2e-1),
}


@dataclass(frozen=True, slots=True)
class Slopes:
    """The derivatives of `<f(x), v>` along one direction, one for each v.

    central      over a step to both sides
    left, right  over a step to one
    noise        how far off rounding alone may put `central`
    """

    central: Sequence[complex]
    left: Sequence[complex]
    right: Sequence[complex]
    noise: Sequence[float]

    def is_kink(self, number: int, accuracy: Accuracy) -> bool:
        """Tell whether left and right disagree by more than curvature and rounding explain."""
        left, right = self.left[number], self.right[number]
        gap = abs(right - left)
        return gap > 0.05 * max(abs(left), abs(right)) + accuracy.atol + 2 * self.noise[number]


class Differences:
    """A function at a point, for some gradients v to multiply its results with."""

    def __init__(
        self, forward: Forward, inputs: Tensors, upstreams: Sequence[Tensors], eps: float
    ) -> None:
        self._forward = forward
        self._inputs = list(inputs)
        self._upstreams = upstreams
        self._eps = eps
        self.base = forward(self._inputs)

    def by_element(self, which: int, place: int) -> Slopes:
        """Differentiate by one element of an input, by its place in the flattened tensor."""
        point = self._inputs[which]
        step = self._eps * max(1.0, abs(point.reshape(-1)[place].item()))
        slopes = self._along(which, _unit(point, place, step), step)
        if not point.is_complex():
            return slopes
        imaginary = self._along(which, _unit(point, place, 1j * step), step)
        return Slopes(
            _complex(slopes.central, imaginary.central),
            _complex(slopes.left, imaginary.left),
            _complex(slopes.right, imaginary.right),
            list(map(max, slopes.noise, imaginary.noise)),
        )

    def along(self, which: int, direction: torch.Tensor) -> Slopes:
        """Differentiate along a direction in the space of one input."""
        step = self._eps * max(1.0, self._inputs[which].abs().max().item())
        return self._along(which, direction * step, step)

    def _along(self, which: int, way: torch.Tensor, step: float) -> Slopes:
        point = self._inputs[which]
        after, before = (self._at(which, point + way), self._at(which, point - way))
        central, left, right, noise = [], [], [], []
        for upstream in self._upstreams:
            rise, fall, lost = 0.0, 0.0, 0.0
            for base, up, down, v in zip(self.base, after, before, upstream, strict=True):
                rise += _dot(up - base, v)
                fall += _dot(base - down, v)
                moved = (up != down).to(v.abs().dtype)
                lost += (base.abs() * v.abs() * moved).sum().item() * torch.finfo(v.dtype).eps
            central.append((rise + fall) / (2 * step))
            left.append(fall / step)
            right.append(rise / step)
            noise.append(lost / step)
        return Slopes(central, left, right, noise)

    def _at(self, which: int, point: torch.Tensor) -> list[torch.Tensor]:
        return self._forward([*self._inputs[:which], point, *self._inputs[which + 1 :]])


def _unit(point: torch.Tensor, place: int, size: complex) -> torch.Tensor:
    way = torch.zeros(point.numel(), dtype=point.dtype, device=point.device)
    way[place] = torch.tensor(size, dtype=point.dtype)
    return way.reshape(point.shape)


def _dot(values: torch.Tensor, v: torch.Tensor) -> float:
    """Multiply as autograd does: the real part of `<v, values>`, elements without weight left out.

    An infinity that no gradient comes to counts for nothing.
    """
    product = (v.conj() * values).real if values.is_complex() else v * values
    return torch.where(v == 0, torch.zeros_like(product), product).sum(dtype=torch.float64).item()


def _complex(real: Sequence[complex], imaginary: Sequence[complex]) -> list[complex]:
    return [complex(one.real, other.real) for one, other in zip(real, imaginary, strict=True)]
