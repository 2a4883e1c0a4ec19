"""A custom Function whose backward gives torch something it cannot take."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autograd_inspect.checks.functions import Written, function_named
from autograd_inspect.checks.reading import failing, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts, Failure
from autograd_inspect.model.findings import Finding, Related, Severity
from autograd_inspect.model.places import Place

_SHAPE = re.compile(r"Function (\w+)Backward returned an invalid gradient at index (\d+) - (.*)")
_COUNT = re.compile(
    r"function (\w+)Backward returned an incorrect number of gradients "
    r"\(expected (\d+), got (\d+)\)"
)


def custom_backward_wrong_shape(facts: Facts) -> Iterator[Finding]:
    """Explain a gradient of another shape than its input."""
    failure = failing(facts, "returned an invalid gradient at index")
    told = _SHAPE.search(failure.message) if failure is not None else None
    if failure is None or told is None:
        return
    name, index, what = told[1], int(told[2]), told[3]
    written = function_named(facts, name)
    if written is None:  # a Function of torch, or of a library
        return
    line, text = _returned(written, index)
    argument = _argument(written, index)
    yield Finding(
        message=f"{written.title(name)} returns a gradient for {argument} that does not fit it: "
        f"{what}",
        evidence=(failure.message,),
        repair=f"return a gradient of the shape of {argument}: sum over the dimensions along which "
        "forward broadcast it",
        place=line,
        tensors=(argument,),
        related=_called(failure),
        marked=text,
        ends_run=True,
    )


def custom_backward_wrong_count(facts: Facts) -> Iterator[Finding]:
    """Explain a backward that does not return one gradient for each input of forward."""
    failure = failing(facts, "returned an incorrect number of gradients")
    told = _COUNT.search(failure.message) if failure is not None else None
    if failure is None or told is None:
        return
    name, wanted, got = told[1], int(told[2]), int(told[3])
    written = function_named(facts, name)
    if written is None:
        return
    if written.is_operator:  # torch counts a last input of its own
        wanted, got = wanted - 1, got - 1
    returns = written.returns
    fitting = [one for one in returns if _length(one) == got] or returns
    forward = written.forward
    yield Finding(
        message=f"{written.title(name)} returns {got} gradients, and forward has {wanted} inputs",
        evidence=(failure.message,),
        repair="return one for each input of forward after ctx, None for what needs no gradient",
        place=written.place(fitting[-1] if fitting else written.backward),
        tensors=tuple(written.arguments),
        related=(
            *related(*(((written.place(forward), "its inputs are these"),) if forward else ())),
            *_called(failure),
        ),
        ends_run=True,
    )


def _returned(written: Written, index: int) -> tuple[Place, str]:
    """Give the line that returns one of the gradients, and the text of that."""
    for one in reversed(written.returns):
        values = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value]
        if index < len(values) and values[index] is not None:
            return written.place(values[index] or one), ast.unparse(values[index] or one)
    return written.place((*written.returns, written.backward)[0]), ""


def _length(one: ast.Return) -> int:
    return len(one.value.elts) if isinstance(one.value, ast.Tuple) else 1


def _argument(written: Written, index: int) -> str:
    names = written.arguments
    return names[index] if index < len(names) else f"input {index}"


def _called(failure: Failure) -> tuple[Related, ...]:
    return related((failure.place, "backward was called here"))


RULES = (
    Rule(
        "custom_backward_wrong_shape",
        Severity.ERROR,
        "A custom backward returns a gradient of another shape than its input",
        custom_backward_wrong_shape,
    ),
    Rule(
        "custom_backward_wrong_count",
        Severity.ERROR,
        "A custom backward returns the wrong number of gradients",
        custom_backward_wrong_count,
    ),
)
