"""The derivatives of a function of the user's program, computed after its end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import torch

from autograd_inspect.autograd._torch import load_forward_formulas
from autograd_inspect.autograd.agreement import check
from autograd_inspect.autograd.blocks import blocks_of, variables
from autograd_inspect.autograd.functional import Function, Tensors, Way, differentiate
from autograd_inspect.autograd.randomness import RandomState
from autograd_inspect.errors import FunctionError, UsageError
from autograd_inspect.model.derivatives import Check, Derivatives, Mode
from autograd_inspect.tracing.expression import Expression, is_a, tensors_in
from autograd_inspect.tracing.function import Application, value_at_end


@dataclass(frozen=True, slots=True)
class Wish:
    """What to compute.

    vector  the text of what the matrix is multiplied by, empty for none
    wrt     names of inputs and parameters to differentiate by, empty for all inputs
    check   whether to compute in another way, too
    """

    mode: Mode
    vector: str = ""
    wrt: Sequence[str] = ()
    forward: bool = False
    vectorize: bool = False
    check: bool = True


def derive(application: Application, wish: Wish, main: ModuleType) -> Derivatives:
    """Compute, and leave the program's tensors and random numbers as they are.

    What the function prints goes to stderr. Raises UsageError and FunctionError in the user's
    words.
    """
    inputs = application.choose(wish.wrt)
    vector = _vector(wish.vector, list(inputs), main) if wish.vector else None
    way = Way(wish.mode, wish.forward, wish.vectorize, vector)
    if wish.check or wish.forward:
        load_forward_formulas()
    with _left_alone(), contextlib.redirect_stdout(sys.stderr):
        function, left_out = prepare(application, inputs)
        found = differentiate(function, way)
        blocks = blocks_of(function, wish.mode, found)
        compared = check(function, way, blocks, tuple(found)) if wish.check else Check()
    return Derivatives(
        mode=wish.mode,
        function=application.name,
        inputs=variables(function.input_names, function.inputs),
        outputs=variables(function.output_names, function.outputs),
        blocks=blocks,
        forward=wish.forward,
        vectorize=wish.vectorize or (wish.forward and wish.mode.is_matrix),
        check=compared,
        draws=function.draws,
        left_out=left_out,
    )


def prepare(
    application: Application, inputs: Mapping[str, torch.Tensor]
) -> tuple[Function, list[str]]:
    """Make a function of these inputs alone, and name its results that have no derivative.

    It is called once, to see what it gives. If it draws random numbers, each later call draws the
    same ones.
    """
    state = RandomState.now()
    results = application({name: tensor.clone() for name, tensor in inputs.items()})
    draws = not state.is_now()
    outputs = {n: t for n, t in results.items() if t.is_floating_point() or t.is_complex()}
    if not outputs:
        gives = ", ".join(f"{name} {t.dtype}" for name, t in results.items()) or "no tensor"
        raise FunctionError(
            f"{application.name} gives {gives}: only floating-point and complex results have a "
            "derivative"
        )
    names = tuple(inputs)

    def call(*given: torch.Tensor) -> Tensors:
        if draws:
            state.restore()
        found = application(dict(zip(names, given, strict=True)))
        if missing := [name for name in outputs if name not in found]:
            raise FunctionError(f"{application.name} gave {missing[0]} at one call only")
        return tuple(found[name] for name in outputs)

    function = Function(
        name=application.name,
        call=call,
        inputs=tuple(tensor.clone() for tensor in inputs.values()),
        input_names=names,
        outputs=tuple(tensor.detach() for tensor in outputs.values()),
        output_names=tuple(outputs),
        draws=draws,
    )
    return function, [name for name in results if name not in outputs]


@contextlib.contextmanager
def _left_alone() -> Iterator[None]:
    """Let random numbers go on afterwards as if nothing had been drawn."""
    state = RandomState.now()
    try:
        yield
    finally:
        state.restore()


def _vector(text: str, names: Sequence[str], main: ModuleType) -> Tensors:
    """Evaluate what the matrix is multiplied by: tensors in order, or those of a dict by name."""
    value = value_at_end(Expression(text), main)
    if is_a(value, dict) and set(value) == set(names):
        value = [value[name] for name in names]
    tensors = tuple(tensor.detach().clone() for tensor in tensors_in(value).values())
    if not tensors:
        raise UsageError(f"--v {text} holds no tensor: it is of type {type(value).__name__}")
    return tensors
