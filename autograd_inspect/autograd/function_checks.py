"""Checking the first and second derivatives of any function at given inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch

from autograd_inspect.autograd.checking import Comparison, Samples
from autograd_inspect.autograd.details import dtype_name
from autograd_inspect.autograd.differences import ACCURACY, Accuracy, Differences
from autograd_inspect.autograd.judging import Evidence, judge
from autograd_inspect.autograd.randomness import RandomState
from autograd_inspect.autograd.rerunning import same_values
from autograd_inspect.autograd.torch_checks import torch_says, why_once
from autograd_inspect.errors import FunctionError
from autograd_inspect.model.gradcheck import FunctionCheck, InputCheck, Verdict

Tensors = list[torch.Tensor]
Named = Mapping[str, torch.Tensor]
Applied = Callable[[Named], dict[str, torch.Tensor]]
Upstreams = tuple[list[Tensors], list[str]]
"""Gradients to send in, and of which element of the results each is."""

#: Results of up to so many elements are differentiated one by one; of more, in two random sums.
_EACH = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """How to check: the options of torch's own gradcheck, None for those that fit the precision.

    second  check the second derivatives, too
    fast    look along directions and at a few elements only
    """

    eps: float | None = None
    atol: float | None = None
    rtol: float | None = None
    second: bool = True
    fast: bool = False

    def accuracy(self, precision: torch.dtype) -> Accuracy:
        """Give step and tolerances."""
        usual = ACCURACY[precision]
        return Accuracy(
            usual.eps if self.eps is None else self.eps,
            usual.atol if self.atol is None else self.atol,
            usual.rtol if self.rtol is None else self.rtol,
        )


@dataclass(slots=True)
class Subject:
    """A function with its graph: from tensors to tensors, and what these are called."""

    function: Callable[[Tensors], Tensors]
    inputs: Tensors
    names: list[str]
    results: list[str]

    def values(self, inputs: Tensors) -> Tensors:
        """Compute the results without their graph."""
        with torch.enable_grad():  # the function may differentiate inside
            return [one.detach() for one in self.function([x.detach() for x in inputs])]

    def pull(self, upstream: Sequence[torch.Tensor]) -> list[torch.Tensor | None]:
        """Compute the gradients of the inputs."""
        with torch.enable_grad():
            leaves = [one.detach().clone().requires_grad_() for one in self.inputs]
            pairs = zip(self.function(leaves), upstream, strict=True)
            chosen = [(one, v) for one, v in pairs if one.requires_grad]
            if not chosen:
                return [None] * len(leaves)
            outputs, vs = zip(*chosen, strict=True)
            return list(torch.autograd.grad(outputs, leaves, vs, allow_unused=True))


def check_function(
    name: str, apply: Applied, inputs: Named, fixed: Named, settings: Settings
) -> FunctionCheck:
    """Check a function by its `inputs`, with `fixed` held as they are.

    In double precision where the function takes that, else as it is called. Raises whatever the
    function raises.
    """
    subject, precision = _prepared(apply, inputs, fixed)
    base = subject.values(subject.inputs)
    if not base:
        raise FunctionError(
            f"{name} gives no tensor that has a derivative",
            hint="it must give a floating-point or complex tensor, or several",
        )
    if not all(map(same_values, base, subject.values(subject.inputs))):
        return FunctionCheck(name, unchecked="it gives other results for the same inputs")
    accuracy = settings.accuracy(precision)
    dtypes = [dtype_name(one.dtype) for one in inputs.values()]
    found = _compare(subject, dtypes, _upstreams(subject, base, settings), accuracy)
    check = FunctionCheck(name, tuple(found), precision=dtype_name(precision))
    options = {"eps": accuracy.eps, "atol": accuracy.atol, "rtol": accuracy.rtol}
    if settings.fast:
        options["fast"] = 1.0
    is_double = precision is torch.float64

    def function(*given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(subject.function(list(given)))

    if is_double:
        said = torch_says(torch.autograd.gradcheck, function, subject.inputs, base, **options)
        check = replace(check, plain=said)
    if settings.second:
        check = _with_second(check, subject, base, accuracy)
    if settings.second and is_double and not check.once:
        said = torch_says(torch.autograd.gradgradcheck, function, subject.inputs, base, **options)
        check = replace(check, second=said)
    return check


def _with_second(
    check: FunctionCheck, subject: Subject, base: Tensors, accuracy: Accuracy
) -> FunctionCheck:
    """Add the derivatives of the gradient, by the inputs and by the gradient sent in."""
    deeper = _gradient_of(subject, base)
    dtypes = [dtype_name(one.dtype) for one in deeper.inputs]
    try:
        with torch.enable_grad():
            once = why_once(deeper.function([one.detach().clone() for one in deeper.inputs]))
        if once:
            return replace(check, once=once)
        values = deeper.values(deeper.inputs)
        upstreams = [_random(values, 0), _random(values, 1)], ["", ""]
        found = _compare(deeper, dtypes, upstreams, accuracy)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        return replace(check, once=reason)
    return replace(check, inputs=(*check.inputs, *(replace(one, order=2) for one in found)))


def _gradient_of(subject: Subject, base: Tensors) -> Subject:
    """Make the function that gives the gradients of another."""
    count = len(subject.inputs)

    def function(given: Tensors) -> Tensors:
        leaves = [one if one.requires_grad else one.requires_grad_() for one in given]
        inputs, upstream = leaves[:count], leaves[count:]
        pairs = zip(subject.function(inputs), upstream, strict=True)
        chosen = [(one, v) for one, v in pairs if one.requires_grad]
        if not chosen:
            return [torch.zeros_like(one) for one in inputs]
        outputs, vs = zip(*chosen, strict=True)
        found: Sequence[torch.Tensor | None] = torch.autograd.grad(
            outputs, inputs, vs, create_graph=True, allow_unused=True
        )
        pairs_found = zip(found, inputs, strict=True)
        return [torch.zeros_like(x) if one is None else one for one, x in pairs_found]

    vs = [f"grad of {name}" for name in subject.results]
    names = [*subject.names, *vs]
    return Subject(function, [*subject.inputs, *_random(base, 2)], names, subject.names)


def _compare(
    subject: Subject, dtypes: Sequence[str], upstreams: Upstreams, accuracy: Accuracy
) -> list[InputCheck]:
    """Compare the gradients of all inputs, for each gradient to send in."""
    vs, labels = upstreams
    pulls = [subject.pull(v) for v in vs]
    differences = Differences(subject.values, subject.inputs, vs, accuracy.eps)
    largest = [max((one.abs().max().item() for one in v if one.numel()), default=0.0) for v in vs]
    evidence: list[Evidence] = []
    for which, point in enumerate(subject.inputs):
        gradients = [pull[which] for pull in pulls]
        comparison = Comparison(differences, which, point, gradients, largest, accuracy)
        samples = comparison.run() if point.numel() else [Samples()] * len(vs)
        for one, label in zip(samples, labels, strict=True):
            one.elements = [replace(element, output=label) for element in one.elements]
        evidence.append(Evidence(subject.names[which], point, dtypes[which], gradients, samples))
    found = judge(evidence, subject.values, differences)
    # There is no gradient of a run here, so none that is right only with others.
    return [
        replace(one, verdict=Verdict.WRONG) if one.verdict is Verdict.LATENT else one
        for one in found
    ]


def _upstreams(subject: Subject, base: Tensors, settings: Settings) -> Upstreams:
    """Give one gradient for each element of the results, or random ones where these are many."""
    sizes = sum(one.numel() for one in base)
    if settings.fast or sizes > _EACH or not sizes:
        return [_random(base, 0), _random(base, 1)], ["", ""]
    vs, labels = [], []
    for which, result in enumerate(base):
        for index in product(*map(range, result.shape)):
            parts = [torch.zeros_like(one) for one in base]
            parts[which][index] = 1
            vs.append(parts)
            labels.append(f"{subject.results[which]}{list(index) if index else ''}")
    # And one that is not of zeros and ones, as a second opinion.
    return [vs[0], _random(base, 0), *vs[1:]], [labels[0], "", *labels[1:]]


def _random(like: Tensors, seed: int) -> Tensors:
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(x.shape, device="cpu", generator=generator, dtype=x.dtype) for x in like]
    return [one.to(x.device) for one, x in zip(drawn, like, strict=True)]


def _prepared(apply: Applied, inputs: Named, fixed: Named) -> tuple[Subject, torch.dtype]:
    """Call the function in double precision, else as it is; gives what works and its precision."""
    own = min((one.dtype.to_real() for one in inputs.values()), key=lambda kind: kind.itemsize)
    random = RandomState.now()
    if own is not torch.float64:
        try:
            subject = _subject(apply, _cast(inputs), _cast(fixed), random)
            if {one.dtype.to_real() for one in subject.values(subject.inputs)} <= {torch.float64}:
                return subject, torch.float64
        except Exception:  # noqa: BLE001, S110 - the function may insist on its own precision
            pass
    return _subject(apply, inputs, fixed, random), own


def _subject(apply: Applied, inputs: Named, fixed: Named, random: RandomState) -> Subject:
    """Make a function of the inputs alone, at the same random numbers each time."""
    names = list(inputs)

    def call(given: Tensors) -> dict[str, torch.Tensor]:
        random.restore()
        held = {name: one.clone() for name, one in fixed.items()}
        results = apply({**held, **dict(zip(names, given, strict=True))})
        return {name: one for name, one in results.items() if _has_derivative(one)}

    values = list(inputs.values())
    return Subject(lambda given: list(call(given).values()), values, names, list(call(values)))


def _cast(tensors: Named) -> dict[str, torch.Tensor]:
    """Bring all tensors of numbers to double precision."""
    return {
        name: one.to(torch.complex128 if one.is_complex() else torch.float64)
        if _has_derivative(one)
        else one
        for name, one in tensors.items()
    }


def _has_derivative(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
