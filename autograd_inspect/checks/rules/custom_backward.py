"""A custom Function whose backward gives torch something it cannot take."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograd_inspect.checks.reading import failing, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.facts import Facts, Failure
from autograd_inspect.model.findings import Finding, Related, Severity
from autograd_inspect.model.places import Place

_SHAPE = re.compile(r"Function (\w+)Backward returned an invalid gradient at index (\d+) - (.*)")
_COUNT = re.compile(
    r"function (\w+)Backward returned an incorrect number of gradients "
    r"\(expected (\d+), got (\d+)\)"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A custom Function as it stands in the program: its class, and its two methods."""

    file: str
    forward: ast.FunctionDef | None
    backward: ast.FunctionDef

    def place(self, node: ast.AST) -> Place:
        """Give the place of something in backward."""
        return Place(self.file, getattr(node, "lineno", 0), "backward")

    @property
    def returns(self) -> list[ast.Return]:
        """What backward returns, in each of its ways."""
        found = [one for one in ast.walk(self.backward) if isinstance(one, ast.Return)]
        return sorted(found, key=lambda one: one.lineno)


def custom_backward_wrong_shape(facts: Facts) -> Iterator[Finding]:
    """Explain a gradient of another shape than its input."""
    failure = failing(facts, "returned an invalid gradient at index")
    told = _SHAPE.search(failure.message) if failure is not None else None
    if failure is None or told is None:
        return
    name, index, what = told[1], int(told[2]), told[3]
    written = _written(facts, failure, name)
    if written is None:  # a Function of torch, or of a library
        return
    line, text = _returned(written, index)
    argument = _argument(written, index)
    yield Finding(
        message=f"{name}.backward returns a gradient for {argument} that does not fit it: {what}",
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
    written = _written(facts, failure, name)
    if written is None:
        return
    returns = written.returns
    fitting = [one for one in returns if _length(one) == got] or returns
    forward = written.forward
    yield Finding(
        message=f"{name}.backward returns {got} gradients, and forward has {wanted} inputs",
        evidence=(failure.message,),
        repair="return one for each input of forward after ctx, None for what needs no gradient",
        place=written.place(fitting[-1] if fitting else written.backward),
        tensors=tuple(_arguments(written)),
        related=(
            *related(*(((written.place(forward), "its inputs are these"),) if forward else ())),
            *_called(failure),
        ),
        ends_run=True,
    )


def _written(facts: Facts, failure: Failure, name: str) -> Written | None:
    """Find a class by its name in the files that the program was seen in."""
    sources = Sources(facts.start)
    files = {place.file: None for place in failure.places}
    for capture in facts.captures:
        files |= {place.file: None for place in capture.graph.places}
    for file in files:
        tree = sources.tree(file)
        classes = [one for one in ast.walk(tree) if isinstance(one, ast.ClassDef)] if tree else []
        by_name = {one.name: one for one in classes}
        backward = _method(by_name, name, "backward")
        if backward is not None:
            return Written(file, _method(by_name, name, "forward"), backward)
    return None


def _method(classes: dict[str, ast.ClassDef], name: str, method: str) -> ast.FunctionDef | None:
    """Find a method of a class, or of the classes that it is derived from."""
    seen = set()
    while name in classes and name not in seen:
        seen.add(name)
        cls = classes[name]
        for one in cls.body:
            if isinstance(one, ast.FunctionDef) and one.name == method:
                return one
        name = next((base.id for base in cls.bases if isinstance(base, ast.Name)), "")
    return None


def _returned(written: Written, index: int) -> tuple[Place, str]:
    """Give the line that returns one of the gradients, and the text of that."""
    for one in reversed(written.returns):
        values = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value]
        if index < len(values) and values[index] is not None:
            return written.place(values[index] or one), ast.unparse(values[index] or one)
    return written.place(written.backward), ""


def _length(one: ast.Return) -> int:
    return len(one.value.elts) if isinstance(one.value, ast.Tuple) else 1


def _arguments(written: Written) -> list[str]:
    forward = written.forward
    return [one.arg for one in forward.args.args if one.arg != "ctx"] if forward else []


def _argument(written: Written, index: int) -> str:
    names = _arguments(written)
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
