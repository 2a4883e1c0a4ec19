"""The error that a program died of, with what its frames still hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import torch

from autograd_inspect.checking.live import Describer
from autograd_inspect.model.facts import Failure
from autograd_inspect.model.places import Place
from autograd_inspect.run.files import is_ours, is_own, relative_to
from autograd_inspect.tracing.expression import is_a, tensors_in
from autograd_inspect.tracing.frames import Scope, scopes_of_traceback
from autograd_inspect.tracing.names import search
from autograd_inspect.training.naming import kept_in_modules

#: Lines that are kept, and functions further in.
_LINES, _FUNCTIONS = 12, 12


def failure_of(error: BaseException, describer: Describer) -> Failure:
    """Describe an error."""
    places, through = _way(error.__traceback__, describer.start)
    scopes = scopes_of_traceback(error.__traceback__)
    return Failure(
        type=type(error).__name__,
        message=str(error),
        places=places,
        through=through,
        tensors=describer.describe(_tensors_near(scopes)),
    )


def _way(trace: TracebackType | None, start: Path) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Give the user's lines, innermost first, and the functions further in than these."""
    places: list[Place] = []
    through: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if is_own(code.co_filename):
            file = relative_to(code.co_filename, start)
            places.append(Place(file, trace.tb_lineno, code.co_name))
            through = []
        elif not is_ours(code.co_filename):
            through.append(code.co_name)
        trace = trace.tb_next
    return tuple(places[::-1][:_LINES]), tuple(through[::-1][:_FUNCTIONS])


def _tensors_near(scopes: list[Scope]) -> Iterator[tuple[str, torch.Tensor]]:
    """Give the variables of the user's frames, innermost first, then what else they lead to."""
    scopes = [scope for scope in scopes if scope.is_own] or scopes
    for scope in scopes:
        for name, value in list(scope.variables.items()):
            if not name.startswith("__"):
                for path, tensor in tensors_in(value).items():
                    yield name + path, tensor
    found = search(scopes)
    for tensor in found.reached:
        yield found.tensors[id(tensor)], tensor
    for name, tensor in kept_in_modules(found):
        if is_a(tensor, torch.Tensor):
            yield name, tensor
