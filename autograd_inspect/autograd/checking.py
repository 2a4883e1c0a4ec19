"""Holding the gradients of a function against differences of what it gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from autograd_inspect.autograd.differences import Accuracy, Differences, Slopes
from autograd_inspect.model.gradcheck import Element

#: An input of up to so many elements is differentiated by each of them; of a larger one, by those
#: with the largest gradients, by some evenly spaced, and along directions through all of them.
EVERY = 256
_LARGEST, _SPACED, _DIRECTIONS = 24, 40, 4

Gradients = Sequence[torch.Tensor | None]


@dataclass(slots=True)
class Samples:
    """What was found of one input, for one gradient v that was sent in.

    places    flat places of the elements
    elements  the two derivatives at each
    kinks     whether the function has a derivative at each
    missed    whether a direction differs although no element looked at does
    """

    places: list[int] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    kinks: list[bool] = field(default_factory=list)
    missed: bool = False

    @property
    def smooth(self) -> list[Element]:
        """The elements at which there is a derivative."""
        return [one for one, kink in zip(self.elements, self.kinks, strict=True) if not kink]

    @property
    def wrong(self) -> list[Element]:
        """The elements at which the two derivatives differ."""
        return [one for one in self.smooth if _differs(one)]

    @property
    def worst(self) -> Element | None:
        """The element that is furthest off, in the measure of what is allowed."""
        chosen = self.wrong or (self.elements if any(self.kinks) else self.smooth)
        return max(chosen, key=_excess, default=None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One input of a function, with its gradients for several v.

    differences  of the function, for the same v
    which        the number of the input
    point        the input
    gradients    what backward gave for each v, None for none
    upstreams    largest absolute value of each v
    """

    differences: Differences
    which: int
    point: torch.Tensor
    gradients: Gradients
    upstreams: Sequence[float]
    accuracy: Accuracy

    def run(self) -> list[Samples]:
        """Compare; gives what was found for each v."""
        flat = [self._flat(one) for one in self.gradients]
        places = _chosen(flat, self.point.numel())
        slopes = [self.differences.by_element(self.which, place) for place in places]
        found = [self._samples(number, flat, places, slopes) for number in range(len(flat))]
        if len(places) < self.point.numel() and not any(one.wrong for one in found):
            hidden = self._hidden_in_directions(flat)
            if hidden is not None:
                slopes.append(self.differences.by_element(self.which, hidden))
                places = [*places, hidden]
                found = [self._samples(number, flat, places, slopes) for number in range(len(flat))]
                found[0].missed = not any(one.wrong or any(one.kinks) for one in found)
        return found

    def _flat(self, gradient: torch.Tensor | None) -> torch.Tensor:
        if gradient is None:
            return torch.zeros_like(self.point).reshape(-1)
        dense = gradient.to_dense() if gradient.layout is not torch.strided else gradient
        return dense.to(self.point.dtype).reshape(-1)

    def _samples(
        self,
        number: int,
        gradients: Sequence[torch.Tensor],
        places: Sequence[int],
        slopes: Sequence[Slopes],
    ) -> Samples:
        flat, accuracy = gradients[number], self.accuracy
        analytic = [complex(flat[place].item()) for place in places]
        numeric = [complex(one.central[number]) for one in slopes]
        scale = max([0.0, *map(abs, numeric), *(abs(a) for a in analytic if abs(a) < float("inf"))])
        rounding = 10 * torch.finfo(flat.dtype).eps * self.upstreams[number]
        samples = Samples(places=list(places))
        for place, a, n, slope in zip(places, analytic, numeric, slopes, strict=True):
            allowed = accuracy.rtol * abs(n) + accuracy.atol * scale
            allowed += rounding + slope.noise[number]
            element = Element(_index(place, self.point.shape), a, n, allowed)
            samples.elements.append(element)
            kink = _differs(element) and slope.is_kink(number, self._scaled(scale))
            samples.kinks.append(kink)
        return samples

    def _scaled(self, scale: float) -> Accuracy:
        return Accuracy(self.accuracy.eps, self.accuracy.atol * scale, self.accuracy.rtol)

    def _hidden_in_directions(self, gradients: Sequence[torch.Tensor]) -> int | None:
        """Find an element that differs by halving a direction that does; None where none does."""
        for seed in range(_DIRECTIONS):
            signs = _signs(self.point, seed)
            if self._direction_differs(gradients, signs):
                first, last = 0, self.point.numel()
                while last - first > 1:
                    middle = (first + last) // 2
                    part = _part_of(signs, first, middle)
                    differs = self._direction_differs(gradients, part)
                    first, last = (first, middle) if differs else (middle, last)
                return first
        return None

    def _direction_differs(
        self, gradients: Sequence[torch.Tensor], direction: torch.Tensor
    ) -> bool:
        slopes = self.differences.along(self.which, direction)
        flat = direction.reshape(-1)
        for number, gradient in enumerate(gradients):
            product = (gradient.conj() * flat).real if flat.is_complex() else gradient * flat
            analytic, numeric = product.sum(dtype=torch.float64).item(), slopes.central[number]
            scale = max(product.abs().max().item(), abs(numeric) / flat.numel() ** 0.5)
            allowed = self.accuracy.rtol * max(abs(numeric), scale) + slopes.noise[number]
            kink = slopes.is_kink(number, self._scaled(scale))
            if not abs(analytic - numeric) <= allowed and not kink:
                return True
        return False


def _differs(element: Element) -> bool:
    return not element.difference <= element.tolerance  # so that NaN differs


def _excess(element: Element) -> float:
    excess = element.difference / element.tolerance if element.tolerance else element.difference
    return float("inf") if math.isnan(excess) else excess


def _chosen(gradients: Sequence[torch.Tensor], count: int) -> list[int]:
    """Choose the elements to look at one by one."""
    if count <= EVERY:
        return list(range(count))
    spaced = [place * (count - 1) // (_SPACED - 1) for place in range(_SPACED)]
    largest = [place for one in gradients for place in one.abs().topk(_LARGEST).indices.tolist()]
    return sorted({*spaced, *largest})


def _index(place: int, shape: Sequence[int]) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return tuple(reversed(index))


def _signs(point: torch.Tensor, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    bits = torch.randint(0, 2, (point.numel(),), device="cpu", generator=generator)
    return (2 * bits - 1).to(point.dtype).to(point.device).reshape(point.shape)


def _part_of(direction: torch.Tensor, first: int, last: int) -> torch.Tensor:
    part = torch.zeros_like(direction).reshape(-1)
    part[first:last] = direction.reshape(-1)[first:last]
    return part.reshape(direction.shape)
