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
    quietly,
    same_values,
)
from autograd_inspect.autograd.stand_ins import unless_stand_in
from autograd_inspect.autograd.torch_checks import Check, second_says, torch_says
from autograd_inspect.model.gradcheck import PASSES, Fault, FunctionCheck, InputCheck
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Place

#: The precisions to compute in, the best first; the last is the program's own.
_PRECISIONS = (torch.float64, torch.float32, None)


def check_call(call: CustomCall, *, second: bool | None) -> FunctionCheck:
    """Check the backward of one call; `second` asks for second derivatives.

    None asks for them where the program's backward could be differentiated.
    """
    deep = call.twice if second is None else second
    reason = ""
    with quietly():
        # A backward may insist on the program's own precision although the forward does not.
        for precisions in (_PRECISIONS, (None,)):
            try:
                return _Check(call, precisions).run(second=deep)
            except Exception as error:  # noqa: BLE001, PERF203 - it is the program's code that runs
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return FunctionCheck(call.name, unchecked=reason)


class _Check:
    """One call while it is checked."""

    def __init__(self, call: CustomCall, precisions: Sequence[torch.dtype | None]) -> None:
        self.call = call
        self.rerun, self.base, self.precision = _prepared(call, precisions)
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
        except Exception as error:
            if self.call.upstream is None or self.call.returned is not None:
                raise  # it did not fail in the run
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            return self._result(faults=((Fault.RAISES, reason),))
        inputs = self._inputs(pulls)
        faults = tuple(self._faults(pulls[0]))
        plain = self._torch_says(torch.autograd.gradcheck)
        once = self.rerun.why_once(self.upstreams[0]) if second else ""
        deep = second and not once
        deeper = self._second_says() if deep else ""
        return replace(self._result(inputs, faults, plain=plain, second=deeper), once=once)

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
        checks = judge(evidence, rerun.forward, differences)
        return unless_stand_in(checks, rerun, self.upstreams[1])

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
        own = Rerun(self.call)
        own.outputs()
        return ", ".join(own.overwritten())

    def _second_says(self) -> str:
        """Ask torch, and where it has nothing to say against it, look along directions."""
        said = self._torch_says(torch.autograd.gradgradcheck)
        reals = not any(one.is_complex() for one in (*self.rerun.inputs, *self.base))
        if self.precision is not torch.float64 or not reals or said not in {"", PASSES}:
            return said
        return second_says(self.rerun.function, self.rerun.inputs, self.upstreams[1])

    def _torch_says(self, check: Check) -> str:
        """Ask torch's own check, in double precision; nothing where that is not possible."""
        inputs, outputs = self.rerun.inputs, self.base
        if self.precision is not torch.float64:
            return ""
        return torch_says(check, self.rerun.function, inputs, outputs)


def _prepared(
    call: CustomCall, precisions: Sequence[torch.dtype | None]
) -> tuple[Rerun, list[torch.Tensor], torch.dtype]:
    """Run forward in the best precision that it takes; gives it, its outputs and the precision."""
    own = next(one.dtype for one in call.arguments if _is_numbers(one)).to_real()
    failure: Exception | None = None
    for precision in precisions:
        if precision is not None and precision.itemsize < own.itemsize:
            continue
        rerun = Rerun(call, precision)
        wanted = precision or own
        try:
            base = rerun.outputs()
            found = _precision_of(rerun, base, wanted)
            if precision is None or found is wanted:
                return rerun, base, found
        except Exception as error:  # noqa: BLE001 - a forward may insist on its own precision
            failure = failure or error
    assert failure is not None, "the last precision is the program's own"
    raise failure


def _precision_of(
    rerun: Rerun, outputs: Sequence[torch.Tensor], wanted: torch.dtype
) -> torch.dtype:
    """Tell in which precision outputs are really computed, which may be below their dtype's."""
    least = max(
        [wanted, *(one.dtype.to_real() for one in outputs)], key=lambda d: torch.finfo(d).eps
    )
    if least is not torch.float64:
        return least
    near = rerun.forward([one * (1 + 1e-9) for one in rerun.inputs])
    full = [_fits(one, torch.float32) and not _fits(one, torch.float16) for one in near]
    return torch.float32 if any(full) else torch.float64


def _fits(tensor: torch.Tensor, dtype: torch.dtype) -> bool:
    """Tell whether a dtype could hold all these values as they are."""
    parts = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return same_values(parts.to(dtype).to(parts.dtype), parts)


def _is_numbers(value: object) -> bool:
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def _random(like: torch.Tensor, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(like.shape, device="cpu", generator=generator, dtype=like.dtype)
    return drawn.to(like.device)


def check_calls(
    calls: Sequence[CustomCall], graph: Graph, *, second: bool | None
) -> list[FunctionCheck]:
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
