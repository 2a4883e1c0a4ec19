"""Why a tensor has the gradient it has, or none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from autograd_inspect.model.flow import Cut
from autograd_inspect.model.gradients import Gradient
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.paths import Paths
from autograd_inspect.model.rows import Node


class Verdict(str, Enum):
    """What came of a tensor's gradient."""

    ARRIVED = "arrived"
    ZERO = "zero"
    NONFINITE = "nonfinite"
    CUT = "cut"
    UNUSED = "unused"
    NO_GRAD = "requires no grad"
    NOT_A_LEAF = "not a leaf"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Why:
    """The answer for one tensor.

    paths     how it leads to the roots, or that it does not, and the cuts that were seen
    gradient  what arrived, None where the tensor has no row
    dies      the node on the way that sent on nothing of what arrived at it
    shrinks   the node on the way that made it smaller than any other, and how many times
    birth     where a gradient first was NaN or infinite
    why       in sentences
    """

    paths: Paths
    verdict: Verdict
    gradient: Gradient | None = None
    dies: Node | None = None
    shrinks: tuple[Node, float] | None = None
    birth: NonFinite | None = None
    why: tuple[str, ...] = ()

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts behind which the tensor lies, those whose value went on to the loss first."""
        return tuple(sorted(self.paths.cuts, key=lambda cut: not cut.reaches))
