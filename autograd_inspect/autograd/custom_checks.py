"""Checking one call of a custom Function at its point, with the gradient that really came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from autograd_inspect.autograd.checking import Comparison, Samples
from autograd_inspect.autograd.details import dtype_name
from autograd_inspect.autograd.differences import ACCURACY, Accuracy, Differences
from autograd_inspect.autograd.judging import Evidence, judge
from autograd_inspect.autograd.rerunning import (
    CustomCall,
    Pullback,
    Rerun,
    alike,
    quietly,
    same_values,
)
from autograd_inspect.model.gradcheck import Fault, FunctionCheck, InputCheck
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Place

#: The precisions to compute in, the best first; the last is the program's own.
_PRECISIONS = (torch.float64, torch.float32, None)

#: Torch's own check makes whole Jacobians: of no more elements than this, else along one direction.
_WHOLE = 2**14
_TOO_LARGE = 2**18


def check_call(call: CustomCall, *, second: bool) -> FunctionCheck:
    """Check the backward of one call; `second` asks for the second derivative as well."""
    with quietly():
        try:
            return _Check(call).run(second=second)
        except Exception as error:  # noqa: BLE001 - it is the program's code that runs here
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            return FunctionCheck(call.name, unchecked=reason)


class _Check:
    """One call while it is checked."""

    def __init__(self, call: CustomCall) -> None:
        self.call = call
        self.rerun, self.base, self.precision = _prepared(call)
        self.accuracy: Accuracy = ACCURACY[self.precision]
        came = call.upstream
        places = self.rerun.places
        self.real = None if came is None else [came[place] for place in places]
        random = [_random(one, seed) for seed, one in enumerate(self.base)]
        ones = [torch.ones_like(one) for one in self.base]
        first = random if self.real is None else [
            torch.zeros_like(one) if v is None else v.to(one.dtype)
            for one, v in zip(self.base, self.real, strict=True)
        ]  # fmt: skip
        if not any(bool(v.any()) for v in first):
            first, self.real = random, None
        self.upstreams = [first, [0.5 + one for one in random], ones]

    def run(self, *, second: bool) -> FunctionCheck:
        again = self.rerun.forward(self.rerun.inputs)
        if not all(map(same_values, again, self.base)):
            return self._result(unchecked="its forward gives other results for the same inputs")
        try:
            pulls = [
                self.rerun.backward(v, closely=number == 0)
                for number, v in enumerate(self.upstreams)
            ]
        except Exception as error:  # noqa: BLE001 - it is the program's code that runs here
            if self.call.returned is not None:
                raise
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            return self._result(faults=((Fault.RAISES, reason),))
        inputs = self._inputs(pulls)
        faults = tuple(self._faults(pulls[0]))
        plain = self._torch_says(torch.autograd.gradcheck)
        deeper = self._torch_says(torch.autograd.gradgradcheck) if second else "not asked"
        return self._result(inputs, faults, plain=plain, second=deeper)

    def _result(
        self,
        inputs: Sequence[InputCheck] = (),
        faults: tuple[tuple[Fault, str], ...] = (),
        *,
        plain: str = "",
        second: str = "",
        unchecked: str = "",
    ) -> FunctionCheck:
        upstream = None
        if self.real is not None:
            squares = [one.abs().square().sum().item() for one in self.real if one is not None]
            upstream = sum(squares) ** 0.5
        return FunctionCheck(
            self.call.name,
            inputs=tuple(inputs),
            precision=dtype_name(self.precision),
            upstream=upstream,
            plain=plain,
            second=second,
            faults=faults,
            unchecked=unchecked,
        )

    def _inputs(self, pulls: Sequence[Pullback]) -> list[InputCheck]:
        rerun, accuracy = self.rerun, self.accuracy
        differences = Differences(rerun.forward, rerun.inputs, self.upstreams, accuracy.eps)
        largest = [max((v.abs().max().item() for v in vs if v.numel()), default=0.0)
                   for vs in self.upstreams]  # fmt: skip
        evidence: list[Evidence] = []
        for which, point in enumerate(rerun.inputs):
            gradients = [pull.gradients[which] for pull in pulls]
            compare = Comparison(differences, which, point, gradients, largest, accuracy)
            samples = compare.run() if point.numel() else [Samples()] * len(gradients)
            original = self.call.arguments[self.call.learning[which]]
            dtype = dtype_name(original.dtype)
            evidence.append(Evidence(rerun.names[which], point, dtype, gradients, samples))
        return judge(evidence, rerun.forward, differences)

    def _faults(self, pull: Pullback) -> list[tuple[Fault, str]]:
        found = []
        if pull.shares:
            found.append((Fault.MUTATES_SAVED, ", ".join(pull.shares)))
        if pull.buffers and not pull.repeats:
            found.append((Fault.MUTATES_BUFFER, ", ".join(pull.buffers)))
        if pull.wrote_up:
            found.append((Fault.MUTATES_GRAD_OUTPUT, ""))
        if not pull.repeats and not (pull.shares or pull.buffers or pull.wrote_up):
            found.append((Fault.NOT_DETERMINISTIC, ""))
        overwritten = self._overwritten()
        if overwritten:
            found.append((Fault.OVERWRITTEN, overwritten))
        return found

    def _overwritten(self) -> str:
        """Name what was saved and is another by the time of the backward; empty for nothing."""
        if self.call.saved is None:
            return ""
        own = Rerun(self.call)
        own.outputs()
        saved = own.saved()
        if saved is None or len(saved) != len(self.call.saved):
            return ""
        changed = [
            f"saved tensor {number}"
            for number, (now, then) in enumerate(zip(self.call.saved, saved, strict=True))
            if not alike(now, then)
        ]
        return ", ".join(changed)

    def _torch_says(self, check: object) -> str:
        """Ask torch's own check, in double precision; nothing where that is not possible."""
        rerun = self.rerun
        size = sum(one.numel() for one in rerun.inputs) * sum(one.numel() for one in self.base)
        if self.precision is not torch.float64 or size > _TOO_LARGE:
            return ""
        inputs = tuple(one.detach().clone().requires_grad_() for one in rerun.inputs)
        fast = size > _WHOLE
        try:
            passes = check(  # type: ignore[operator]
                rerun.function, inputs, raise_exception=False, fast_mode=fast,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - it is the program's code that runs here
            return f"raises {type(error).__name__}"
        return "passes" if passes else "fails"


def _prepared(call: CustomCall) -> tuple[Rerun, list[torch.Tensor], torch.dtype]:
    """Run forward in the best precision that it takes; gives it, its outputs and the precision."""
    own = next(one.dtype for one in call.arguments if _is_numbers(one)).to_real()
    failure: Exception | None = None
    for precision in _PRECISIONS:
        if precision is not None and precision.itemsize < own.itemsize:
            continue
        rerun = Rerun(call, precision)
        wanted = precision or own
        try:
            base = rerun.outputs()
            found = _precision_of(base, wanted)
            if precision is None or found is wanted:
                return rerun, [one.to(one.dtype) for one in base], found
        except Exception as error:  # noqa: BLE001 - a forward may insist on its own precision
            failure = failure or error
    assert failure is not None, "the last precision is the program's own"
    raise failure


def _precision_of(outputs: Sequence[torch.Tensor], wanted: torch.dtype) -> torch.dtype:
    """Tell in which precision outputs were really computed, which may be below their dtype's."""
    kinds = [one.dtype.to_real() for one in outputs]
    least = min([wanted, *kinds], key=lambda kind: -torch.finfo(kind).eps)
    if least is not torch.float64:
        return least
    coarse = [one for one in outputs if one.numel() and same_values(_rounded(one), one)]
    exact = all(bool((one == one.round()).all()) for one in map(_real, coarse))
    return torch.float64 if not coarse or exact else torch.float32


def _rounded(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.float32.to_complex() if tensor.is_complex() else torch.float32).to(
        tensor.dtype
    )


def _real(tensor: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _is_numbers(value: object) -> bool:
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def _random(like: torch.Tensor, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)


def check_calls(calls: Sequence[CustomCall], graph: Graph, *, second: bool) -> list[FunctionCheck]:
    """Check the calls of a captured graph, of each line and Function the first and the last."""
    groups: dict[tuple[type, Place | None], list[CustomCall]] = {}
    for call in sorted(calls, key=lambda one: graph.node(one.node).sequence):
        groups.setdefault((call.function, graph.node(call.node).place), []).append(call)
    checks = []
    for (_, place), group in groups.items():
        for number in sorted({0, len(group) - 1}):
            call = group[number]
            module_call = graph.node(call.node).call
            checks.append(
                replace(
                    check_call(call, second=second),
                    place=place,
                    module=module_call.module if module_call else None,
                    node=call.node,
                    call=number + 1,
                    calls=len(group),
                )
            )
    return checks
