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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one input: its gradients and samples for the first v, a random v and ones."""

    name: str
    point: torch.Tensor
    dtype: str
    gradients: Sequence[torch.Tensor | None]
    samples: Sequence[Samples]

    @property
    def chosen(self) -> Samples:
        """The samples to show: those of the run, unless only others differ."""
        return next((one for one in self.samples[:2] if one.wrong or one.missed), self.samples[0])

    @property
    def is_wrong(self) -> bool:
        """Whether any gradient differs."""
        return any(one.wrong or one.missed for one in self.samples)

    @property
    def is_flat(self) -> bool:
        """Whether the outputs do not move with this input, which has a gradient all the same."""
        numeric = (one.numeric for samples in self.samples for one in samples.elements)
        return self.is_wrong and not any(numeric)


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
        verdict, cause, factor, other = _fault(one, all_of_them, forward, differences)
    elif samples.elements and not samples.smooth:
        verdict = Verdict.KINK
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


def _fault(
    one: Evidence, all_of_them: Sequence[Evidence], forward: Forward, differences: Differences
) -> tuple[Verdict, Cause, complex | None, str]:
    which = next(place for place, each in enumerate(all_of_them) if each is one)
    inputs = [each.point for each in all_of_them]
    factor = _factor(one.chosen)
    if _gives_back(which, inputs, forward, differences):
        return Verdict.BY_DESIGN, Cause.OTHER, factor, ""
    if one.is_flat:
        steps = _moves(which, inputs, forward, differences)
        if steps:
            return Verdict.STRAIGHT_THROUGH, Cause.OTHER, None, ""
        return Verdict.WRONG, Cause.UNUSED if steps is False else Cause.OTHER, None, ""
    if all(gradient is None for gradient in one.gradients):
        return Verdict.WRONG, Cause.MISSING, None, ""
    verdict = Verdict.WRONG if one.samples[0].wrong or one.samples[0].missed else Verdict.LATENT
    if _ignores_upstream(one):
        return verdict, Cause.IGNORES_GRAD_OUTPUT, None, ""
    if any(_is_not_finite(element) for element in one.chosen.wrong):
        return verdict, Cause.NOT_FINITE, None, ""
    other = _swapped_with(one, all_of_them)
    if other:
        return verdict, Cause.SWAPPED, None, other
    if factor is not None:
        sign = abs(factor + 1) <= _ONE_FACTOR
        return verdict, Cause.SIGN if sign else Cause.FACTOR, factor, ""
    if _is_transposed(one):
        return verdict, Cause.TRANSPOSED, None, ""
    return verdict, Cause.OTHER, None, ""


def _factor(samples: Samples) -> complex | None:
    """Give the factor by which a gradient is off, if it is the same at all elements."""
    largest = max((abs(one.numeric) for one in samples.smooth), default=0.0)
    telling = [one for one in samples.smooth if abs(one.numeric) > 1e-2 * largest]
    rest = [one for one in samples.smooth if abs(one.numeric) <= 1e-2 * largest]
    if not telling or any(not abs(one.analytic) <= largest for one in rest):
        return None
    ratios = [one.analytic / one.numeric for one in telling]
    middle = sum(ratios) / len(ratios)
    if not abs(middle) or len(ratios) == 1 < len(samples.elements):
        return None
    if any(not abs(ratio - middle) <= _ONE_FACTOR * abs(middle) for ratio in ratios):
        return None
    return middle.real if abs(middle.imag) <= _ONE_FACTOR * abs(middle) else middle


def _ignores_upstream(one: Evidence) -> bool:
    """Tell whether different v gave the same gradient."""
    first, *others = one.gradients
    there = first is not None and bool(first.any())
    return there and all(gradient is not None and alike(first, gradient) for gradient in others)


def _is_not_finite(element: Element) -> bool:
    return not abs(element.analytic) < float("inf") and abs(element.numeric) < float("inf")


def _swapped_with(one: Evidence, all_of_them: Sequence[Evidence]) -> str:
    """Name the input whose gradient this one got."""
    for other in all_of_them:
        if other is one or other.point.shape != one.point.shape or not other.is_wrong:
            continue
        if _matches(one, [element.numeric for element in other.samples[1].elements]):
            return other.name
    return ""


def _is_transposed(one: Evidence) -> bool:
    """Tell whether a square gradient is that of the transposed input, of which all is known."""
    numeric = [element.numeric for element in one.samples[1].elements]
    if one.point.dim() != 2 or len(numeric) != one.point.numel():
        return False
    rows, columns = one.point.shape
    if rows != columns or rows == 1:
        return False
    turned = [numeric[column * rows + row] for row in range(rows) for column in range(rows)]
    return _matches(one, turned)


def _matches(one: Evidence, numeric: Sequence[complex]) -> bool:
    """Tell whether the gradient for a random v is this one."""
    elements = one.samples[1].elements
    if len(elements) != len(numeric) or not any(numeric):
        return False
    largest = max(map(abs, numeric))
    pairs = zip(elements, numeric, strict=True)
    return all(abs(element.analytic - n) <= _ONE_FACTOR * largest for element, n in pairs)


def _gives_back(
    which: int, inputs: Sequence[torch.Tensor], forward: Forward, differences: Differences
) -> bool:
    """Tell whether the forward gives this input back as it is, wherever it is called."""
    point = inputs[which]
    same = [n for n, out in enumerate(differences.base) if same_values(out, point)]
    if not same or not point.numel():
        return False
    for other in (-point - 0.25, 3 * point + 1.5):
        outputs = _at(which, inputs, other, forward)
        if outputs is None or not any(same_values(outputs[n], other) for n in same):
            return False
    return True


def _moves(
    which: int, inputs: Sequence[torch.Tensor], forward: Forward, differences: Differences
) -> bool | None:
    """Tell whether far steps move the outputs and short ones from there do not: it has stairs.

    False where nothing moves at all, None where it is no stairs.
    """
    point = inputs[which]
    size = max(1.0, point.abs().max().item())
    moved = False
    for step in (0.37 * size, -0.73 * size, 2.9 * size, -5.3 * size):
        there = _at(which, inputs, point + step, forward)
        if there is None:
            continue
        moved = moved or not all(map(same_values, there, differences.base))
        near = _at(which, inputs, point + step + 1e-4 * size, forward)
        if near is not None and _share_moved(there, near) > 0.05:
            return None
    return moved


def _share_moved(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> float:
    moved = sum(int((a != b).sum()) for a, b in zip(one, other, strict=True))
    return moved / max(1, sum(a.numel() for a in one))


def _at(
    which: int, inputs: Sequence[torch.Tensor], point: torch.Tensor, forward: Forward
) -> list[torch.Tensor] | None:
    try:
        return forward([*inputs[:which], point, *inputs[which + 1 :]])
    except Exception:  # noqa: BLE001 - a forward of the program's may refuse what lies far off
        return None
