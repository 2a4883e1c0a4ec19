"""What came of holding backwards against numeric derivatives of their forwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is the program's to import first
    from autograd_inspect.model.places import Module, Place

#: What is said of a check of torch's own that is content.
PASSES = "passes"


class Verdict(Enum):
    """How the gradient of one input compares."""

    OK = "ok"
    WRONG = "wrong"
    #: Right with the gradient that came in the run, wrong with another.
    LATENT = "wrong for others"
    #: The forward is constant between its steps, so the gradient is made up on purpose.
    STRAIGHT_THROUGH = "straight-through"
    #: The backward is there to give another gradient: its forward gives its input back, or no
    #: mistake could make it.
    BY_DESIGN = "by design"
    #: The derivative from the left is another than that from the right.
    KINK = "not smooth here"
    UNCHECKED = "not checked"

    @property
    def is_finding(self) -> bool:
        """Whether something is wrong."""
        return self in {Verdict.WRONG, Verdict.LATENT}

    @property
    def is_meant(self) -> bool:
        """Whether the gradient is another than the forward's on purpose."""
        return self in {Verdict.STRAIGHT_THROUGH, Verdict.BY_DESIGN}


class Cause(Enum):
    """What is wrong with a gradient, as far as the figures show it."""

    IGNORES_GRAD_OUTPUT = "ignores grad_output"
    SIGN = "wrong sign"
    FACTOR = "wrong by a factor"
    TRANSPOSED = "transposed"
    SWAPPED = "swapped"
    MISSING = "no gradient"
    UNUSED = "input not used"
    NOT_FINITE = "not finite"
    OTHER = ""

    @property
    def slug(self) -> str:
        """The name of it for machines."""
        return _SLUGS.get(self, "custom_backward_wrong")


_SLUGS = {
    Cause.IGNORES_GRAD_OUTPUT: "custom_backward_missing_factor",
    Cause.FACTOR: "custom_backward_missing_factor",
    Cause.SIGN: "wrong_custom_backward_sign",
    Cause.TRANSPOSED: "custom_backward_transposed",
    Cause.SWAPPED: "custom_backward_swapped",
    Cause.MISSING: "custom_backward_missing_gradient",
    Cause.UNUSED: "custom_backward_unused_input",
    Cause.NOT_FINITE: "custom_backward_not_finite",
}


class Fault(Enum):
    """What a backward does beside giving a wrong gradient."""

    MUTATES_SAVED = "backward_mutates_saved"
    MUTATES_BUFFER = "backward_mutates_buffer"
    MUTATES_GRAD_OUTPUT = "backward_mutates_grad_output"
    OVERWRITTEN = "saved_overwritten"
    NOT_DETERMINISTIC = "backward_not_deterministic"
    RAISES = "backward_raises"

    @property
    def is_finding(self) -> bool:
        """Whether something is wrong; a buffer of its own only matters to a second backward."""
        return self is not Fault.MUTATES_BUFFER


@dataclass(frozen=True, slots=True)
class Element:
    """The derivative by one element of an input: what backward says and what differences say.

    output  of which element of the results, where it is that of one: `f[0, 2]`
    """

    index: tuple[int, ...]
    analytic: complex
    numeric: complex
    tolerance: float
    output: str = ""

    @property
    def difference(self) -> float:
        """How far apart they are."""
        return abs(self.analytic - self.numeric)


@dataclass(frozen=True, slots=True)
class InputCheck:
    """The gradient of one input.

    order    1 for the gradient, 2 for the gradient of the gradient
    dtype    of the input in the program
    worst    the element that is furthest off; None where none was looked at
    factor   by which the gradient is off where it is the same factor everywhere
    other    the input that it was swapped with
    checked  elements looked at one by one, of `total`; all others are in sums along directions
    wrong    those of them that differ
    kinks    those of them at which the forward has no derivative
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    verdict: Verdict
    order: int = 1
    cause: Cause = Cause.OTHER
    worst: Element | None = None
    factor: complex | None = None
    other: str = ""
    checked: int = 0
    total: int = 0
    wrong: int = 0
    kinks: int = 0


@dataclass(frozen=True, slots=True)
class FunctionCheck:
    """One function at one point.

    place, module  where the program called it
    node           its node in the captured graph, -1 outside of one
    call, calls    the how-manieth call of that line, and how many there are
    precision      in which it was computed here: `float64` where its forward takes that
    upstream       2-norm of the gradient that the run sent into it; None where none came
    plain          what `torch.autograd.gradcheck` says at this point: `passes`, what it has against
                   it, or nothing
    second         what `torch.autograd.gradgradcheck` says, likewise
    once           why the gradient cannot be differentiated again, empty where it can
    faults         what else was seen, each with what it was seen at
    unchecked      why it could not be checked, empty where it could
    """

    name: str
    inputs: tuple[InputCheck, ...] = ()
    place: Place | None = None
    module: Module | None = None
    node: int = -1
    call: int = 1
    calls: int = 1
    precision: str = "float64"
    upstream: float | None = None
    plain: str = ""
    second: str = ""
    once: str = ""
    faults: tuple[tuple[Fault, str], ...] = ()
    unchecked: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether anything is wrong with it."""
        return (
            any(one.verdict.is_finding for one in self.inputs)
            or any(fault.is_finding for fault, _ in self.faults)
            or self.only_torch_objects
        )

    @property
    def only_torch_objects(self) -> bool:
        """Whether torch's own check has something against it, and we found nothing."""
        content = {self.plain, self.second} <= {PASSES, ""}
        if content or self.faults:
            return False
        return all(one.verdict is Verdict.OK for one in self.inputs)


@dataclass(frozen=True, slots=True)
class Gradcheck:
    """All that was checked.

    custom   calls of custom Functions in the graph; -1 where a function was named to be checked
    dropped  calls whose inputs were too large to keep
    ignored  methods called backward of modules, which autograd never calls, and where they are
    """

    checks: tuple[FunctionCheck, ...]
    custom: int = -1
    dropped: int = 0
    ignored: tuple[tuple[str, Place], ...] = ()

    @property
    def rows(self) -> Iterator[tuple[FunctionCheck, InputCheck | None]]:
        """Give each input with its function; a function without any once."""
        for check in self.checks:
            yield from ((check, one) for one in check.inputs or (None,))

    @property
    def findings(self) -> int:
        """Count the functions with something wrong."""
        return sum(check.is_finding for check in self.checks) + len(self.ignored)
