"""What the figures of a wrong gradient say of its cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from autograd_inspect.autograd.checking import Samples
from autograd_inspect.autograd.differences import Differences, Forward
from autograd_inspect.autograd.rerunning import alike, same_values
from autograd_inspect.model.gradcheck import Cause, Element, InputCheck, Verdict

#: How far from each other the ratios at different elements may be to be one factor.
_ONE_FACTOR = 1e-2
#: Share of the outputs that a short step may move although there are stairs: it may cross an edge.
_STAIRS = 0.05


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one input: its gradients and samples for each v that was sent in.

    The first v is the one that counts, the second another, and not of ones alone.
    """

    name: str
    point: torch.Tensor
    dtype: str
    gradients: Sequence[torch.Tensor | None]
    samples: Sequence[Samples]

    @property
    def chosen(self) -> Samples:
        """The samples to show: the first that differ."""
        return next((one for one in self.samples if one.wrong or one.missed), self.samples[0])

    @property
    def second(self) -> list[Element]:
        """The elements for the second v, if there are two."""
        return self.samples[min(1, len(self.samples) - 1)].elements

    @property
    def is_wrong(self) -> bool:
        """Whether any gradient differs."""
        return any(one.wrong or one.missed for one in self.samples)

    @property
    def is_flat(self) -> bool:
        """Whether the outputs do not move with this input, which has a gradient all the same.

        Where a step crosses an edge of the stairs, they jump.
        """
        numeric = (one.numeric for samples in self.samples for one in samples.smooth)
        return self.is_wrong and not any(numeric)

    @property
    def is_wrong_where_flat(self) -> bool:
        """Whether only elements that do not move the outputs have a wrong gradient."""
        wrong = [one for samples in self.samples for one in samples.wrong]
        missed = any(samples.missed for samples in self.samples)
        return bool(wrong) and not missed and not any(one.numeric for one in wrong)

    @property
    def is_one_way(self) -> bool:
        """Whether elements have a wrong gradient for one v and none for another: by its sign."""
        columns = zip(*(samples.elements for samples in self.samples), strict=True)
        flat = [column for column in columns if not any(one.numeric for one in column)]
        return any(len({bool(one.analytic) for one in column}) > 1 for column in flat)


def judge(
    evidence: Sequence[Evidence], forward: Forward, differences: Differences
) -> list[InputCheck]:
    """Say of each input how its gradient compares and, where it is wrong, what is wrong."""
    return [_judged(one, evidence, forward, differences) for one in evidence]


def _judged(
    one: Evidence, all_of_them: Sequence[Evidence], forward: Forward, differences: Differences
) -> InputCheck:
    samples = one.chosen
    verdict, cause, factor, other = Verdict.OK, Cause.OTHER, None, ""
    if one.is_wrong:
        which = next(place for place, each in enumerate(all_of_them) if each is one)
        around = _Around([each.point for each in all_of_them], which, forward, differences.base)
        factor = _factor(one.samples)
        verdict = _verdict(one, around)
        if verdict.is_finding:
            cause, other = _cause(one, all_of_them, factor, around)
    elif any(any(each.kinks) for each in one.samples):
        verdict = Verdict.KINK
        samples = max(one.samples, key=lambda each: sum(each.kinks))
    return InputCheck(
        name=one.name,
        shape=tuple(one.point.shape),
        dtype=one.dtype,
        verdict=verdict,
        cause=cause,
        worst=samples.worst,
        factor=factor,
        other=other,
        checked=len(samples.elements),
        total=one.point.numel(),
        wrong=len(samples.wrong),
        kinks=sum(samples.kinks),
    )


def _verdict(one: Evidence, around: _Around) -> Verdict:
    """Tell a gradient that is wrong from one that differs on purpose."""
    if around.is_given_back():
        return Verdict.BY_DESIGN
    if one.is_flat and around.has_stairs():
        return Verdict.STRAIGHT_THROUGH
    if one.is_wrong_where_flat and (one.is_one_way or around.keeps_to_a_range()):
        return Verdict.STRAIGHT_THROUGH  # past the ends of a range
    first = one.samples[0]
    return Verdict.WRONG if first.wrong or first.missed else Verdict.LATENT


def _cause(
    one: Evidence, all_of_them: Sequence[Evidence], factor: complex | None, around: _Around
) -> tuple[Cause, str]:
    """Say what is wrong with a gradient, and with which other input it was swapped if it was."""
    other = _swapped_with(one, all_of_them)
    signs = {
        Cause.UNUSED: one.is_flat and not around.moves(),
        Cause.MISSING: all(gradient is None for gradient in one.gradients),
        Cause.NOT_FINITE: any(map(_is_not_finite, one.chosen.wrong)),
        Cause.IGNORES_GRAD_OUTPUT: _ignores_upstream(one),
        Cause.SWAPPED: bool(other),
        Cause.SIGN: factor is not None and abs(factor + 1) <= _ONE_FACTOR,
        Cause.FACTOR: factor is not None,
        Cause.TRANSPOSED: _is_transposed(one),
    }
    return next((cause for cause, shows in signs.items() if shows), Cause.OTHER), other


def _factor(samples: Sequence[Samples]) -> complex | None:
    """Give the factor by which a gradient is off, if it is the same at all elements."""
    ratios: list[complex] = []
    for one in samples:
        largest = max((abs(element.numeric) for element in one.smooth), default=0.0)
        for element in one.smooth:
            if abs(element.numeric) > 1e-2 * largest:
                ratios.append(element.analytic / element.numeric)
            elif not abs(element.analytic) <= largest:
                return None
    middle = sum(ratios) / max(1, len(ratios))
    if not abs(middle) or any(not abs(r - middle) <= _ONE_FACTOR * abs(middle) for r in ratios):
        return None
    return middle.real if abs(middle.imag) <= _ONE_FACTOR * abs(middle) else middle


def _ignores_upstream(one: Evidence) -> bool:
    """Tell whether different v gave the same gradient."""
    first, *others = one.gradients
    there = first is not None and bool(first.any()) and bool(others)
    return there and all(gradient is not None and alike(first, gradient) for gradient in others)


def _is_not_finite(element: Element) -> bool:
    return not abs(element.analytic) < float("inf") and abs(element.numeric) < float("inf")


def _swapped_with(one: Evidence, all_of_them: Sequence[Evidence]) -> str:
    """Name the input whose gradient this one got."""
    for other in all_of_them:
        if other is one or other.point.shape != one.point.shape or not other.is_wrong:
            continue
        if _matches(one, [element.numeric for element in other.second]):
            return other.name
    return ""


def _is_transposed(one: Evidence) -> bool:
    """Tell whether a square gradient is that of the transposed input, of which all is known."""
    numeric = [element.numeric for element in one.second]
    if one.point.dim() != 2 or len(numeric) != one.point.numel():
        return False
    rows, columns = one.point.shape
    if rows != columns or rows == 1:
        return False
    turned = [numeric[column * rows + row] for row in range(rows) for column in range(rows)]
    return _matches(one, turned)


def _matches(one: Evidence, numeric: Sequence[complex]) -> bool:
    """Tell whether the gradient for a random v is this one."""
    elements = one.second
    if len(elements) != len(numeric) or not any(numeric):
        return False
    largest = max(map(abs, numeric))
    pairs = zip(elements, numeric, strict=True)
    return all(abs(element.analytic - n) <= _ONE_FACTOR * largest for element, n in pairs)


@dataclass(frozen=True, slots=True)
class _Around:
    """What the forward does further off from the point, in one of its inputs."""

    inputs: Sequence[torch.Tensor]
    which: int
    forward: Forward
    base: Sequence[torch.Tensor]

    @property
    def point(self) -> torch.Tensor:
        return self.inputs[self.which]

    def is_given_back(self) -> bool:
        """Tell whether the forward gives the input back as it is, wherever it is called."""
        same = [number for number, one in enumerate(self.base) if same_values(one, self.point)]
        for other in (-self.point - 0.25, 3 * self.point + 1.5):
            outputs = self._at(other)
            if outputs is None or not any(same_values(outputs[n], other) for n in same):
                return False
        return bool(same)

    def has_stairs(self) -> bool:
        """Tell whether far steps move the outputs and short ones from there do not."""
        for there in self._far():
            near = self._at(there + 1e-4 * self._size)
            outputs = self._at(there)
            if near is not None and outputs is not None and _share_moved(outputs, near) > _STAIRS:
                return False
        return self.moves()

    def moves(self) -> bool:
        """Tell whether far steps move the outputs."""
        outputs = (self._at(there) for there in self._far())
        return any(one is not None and _share_moved(one, self.base) > 0 for one in outputs)

    def keeps_to_a_range(self) -> bool:
        """Tell whether the outputs stay where they are at last, whichever way the input goes."""
        for way in (1e3, -1e3):
            there, further = (self._at(self.point + way * n * self._size) for n in (1, 7))
            if there is None or further is None or _share_moved(there, further) > 0:
                return False
        return self.moves()

    @property
    def _size(self) -> float:
        return max(1.0, self.point.abs().max().item())

    def _far(self) -> list[torch.Tensor]:
        return [self.point + step * self._size for step in (0.37, -0.73, 2.9, -5.3)]

    def _at(self, point: torch.Tensor) -> list[torch.Tensor] | None:
        inputs = list(self.inputs)
        inputs[self.which] = point
        try:
            return self.forward(inputs)
        except Exception:  # noqa: BLE001 - a forward of the program's may refuse what lies far off
            return None


def _share_moved(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> float:
    moved = sum(int((a != b).sum()) for a, b in zip(one, other, strict=True))
    return moved / max(1, sum(a.numel() for a in one))
