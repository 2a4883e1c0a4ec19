"""Tracing from within a program: the library's `trace`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from autograd_inspect.autograd._torch import made_by, patch_engine
from autograd_inspect.errors import NoGraphError
from autograd_inspect.model.capture import About, Backward, Capture
from autograd_inspect.recording.recorder import Recorder
from autograd_inspect.tracing.ending import why_without
from autograd_inspect.tracing.expression import tensors_in
from autograd_inspect.tracing.frames import Scope, scopes_from
from autograd_inspect.tracing.moment import Moment, NamedRoot, Scene, pass_backward

#: The recorder that the program itself switched on last; not one that it runs under.
_latest: list[Recorder] = []


@dataclass(frozen=True, slots=True)
class Asked:
    """What `trace` is to find out beside the graph; the fields are its parameters."""

    backward: bool = False
    grad_output: torch.Tensor | Sequence[torch.Tensor] | None = None
    curves: bool = False


def trace_live(
    value: object, model: torch.nn.Module | None, frame: FrameType, asked: Asked
) -> Capture:
    """Capture the graph of the tensors in `value`, named as the caller's frame names them.

    Raises NoGraphError, with the reason, where none of them has a graph.
    """
    recorder = _latest[-1] if _latest else None
    with recorder.looking_away() if recorder else nullcontext():
        scopes = scopes_from(frame)
        if model is not None:
            named: dict[str, Any] = {"model": model}
            scopes.append(Scope(named, named))
        moment = _seize(value, scopes, Scene(Path.cwd(), recorder))
        if asked.curves:
            moment.keep_curves()
        if asked.backward:
            gradients = _gradients_in(asked.grad_output)
            pass_backward(moment, gradients)
        elif any(leaf.grad is not None for leaf in moment.walked.leaves):
            moment.arrivals.backward = Backward.EARLIER
        return moment.develop()


@contextmanager
def recording(*, watch: bool) -> Iterator[None]:
    """Record what the caller's code does until the context ends."""
    recorder = Recorder(watch=watch)
    _latest[:] = [recorder]
    undo = patch_engine(recorder.around)
    recorder.start()
    try:
        yield
    finally:
        recorder.stop()
        undo()


def _gradients_in(grad_output: object) -> list[torch.Tensor] | None:
    return None if grad_output is None else list(tensors_in(grad_output).values())


def _seize(value: object, scopes: Sequence[Scope], scene: Scene) -> Moment:
    tensors = tensors_in(value)
    name = _name_of(value, scopes)
    roots: list[NamedRoot] = [
        (name + path, t) for path, t in tensors.items() if made_by(t) is not None
    ]
    if not roots:
        raise NoGraphError(f"what was given to trace {why_without(value, tensors)}")
    return Moment.seize(roots, scopes, About(target=name), scene)


def _name_of(value: object, scopes: Sequence[Scope]) -> str:
    for scope in scopes:
        for name, held in list(scope.variables.items()):
            if held is value and not name.startswith("_"):
                return name
    return "root"
