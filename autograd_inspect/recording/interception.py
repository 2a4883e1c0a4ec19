"""Putting the close watch where functions of torch do not pass through a mode."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn, overrides
from torch.autograd import Function

from autograd_inspect.recording.flow import Flow

Undo = Callable[[], None]


def enter(flow: Flow) -> Undo:
    """Let everything that this thread does with torch pass through `flow`; gives the undo."""
    undoes = [
        _replace_apply(flow),
        _replace_parameter(flow),
        _replace_inference_mode(flow),
        _replace_add_param_group(flow),
        flow.stepping.begin(),
        _keep_fast_paths(),
    ]
    # What is remembered of values makes python's collector look through everything there is more
    # often; all that torch and its imports made is left out of that for the while.
    gc.freeze()
    flow.__enter__()  # type: ignore[no-untyped-call]

    def leave() -> None:
        _leave_mode(flow)
        gc.unfreeze()
        for undo in undoes:
            undo()

    return leave


def _leave_mode(flow: Flow) -> None:
    """Take the mode off the stack, also from below those that the program has left on it."""
    above = []
    while torch._C._len_torch_function_stack():
        mode = overrides._pop_mode()  # type: ignore[no-untyped-call]
        if mode is flow:
            break
        above.append(mode)
    for mode in reversed(above):
        overrides._push_mode(mode)  # type: ignore[no-untyped-call]


def _replace_apply(flow: Flow) -> Undo:
    original = Function.__dict__["apply"]

    def apply(cls: type[Function], *args: Any, **kwargs: Any) -> Any:
        return flow.run_custom(cls, original.__get__(None, cls), args, kwargs)

    Function.apply = classmethod(apply)  # type: ignore[method-assign, assignment]

    def undo() -> None:
        Function.apply = original  # type: ignore[method-assign]

    return undo


def _replace_parameter(flow: Flow) -> Undo:
    original = nn.Parameter.__new__

    def new(cls: type[nn.Parameter], data: Any = None, *args: Any, **kwargs: Any) -> Any:
        parameter = original(cls, data, *args, **kwargs)
        if isinstance(parameter, torch.Tensor):
            flow.learning.parameter_made(data, parameter, sys._getframe(1))
        return parameter

    nn.Parameter.__new__ = staticmethod(new)  # type: ignore[method-assign, assignment]

    def undo() -> None:
        nn.Parameter.__new__ = staticmethod(original)  # type: ignore[method-assign]

    return undo


def _replace_add_param_group(flow: Flow) -> Undo:
    original = torch.optim.Optimizer.add_param_group

    def add_param_group(self: torch.optim.Optimizer, param_group: Any) -> None:
        try:
            original(self, param_group)
        finally:  # by now a list, where it was a generator
            flow.learning.optimizer_given(self, param_group, sys._getframe(1))

    torch.optim.Optimizer.add_param_group = add_param_group  # type: ignore[method-assign]

    def undo() -> None:
        torch.optim.Optimizer.add_param_group = original  # type: ignore[method-assign]

    return undo


def _keep_fast_paths() -> Undo:
    """Let transformer layers of torch go their fast way, which they do only if nobody watches.

    They ask by this name; the functions that hand themselves to a mode know the question by
    another, and go on asking that.
    """
    original = overrides.has_torch_function

    def has_torch_function(args: Iterable[Any]) -> bool:
        arguments = tuple(args)
        if not original(arguments):
            return False
        others = torch._C._len_torch_function_stack() > 1
        return others or any(_overrides(type(argument)) for argument in arguments)

    overrides.has_torch_function = has_torch_function

    def undo() -> None:
        overrides.has_torch_function = original

    return undo


def _overrides(kind: type) -> bool:
    if kind in {torch.Tensor, nn.Parameter}:
        return False
    function = getattr(kind, "__torch_function__", None)
    return function not in {None, torch._C._disabled_torch_function_impl}


def _replace_inference_mode(flow: Flow) -> Undo:
    mode = torch.inference_mode
    begin, end = mode.__enter__, mode.__exit__

    def enter_mode(self: Any) -> None:
        flow.switched_off(sys._getframe(1))
        begin(self)

    def exit_mode(self: Any, *error: Any) -> None:
        end(self, *error)
        flow.switched_back(sys._getframe(1))

    mode.__enter__, mode.__exit__ = enter_mode, exit_mode  # type: ignore[method-assign]

    def undo() -> None:
        mode.__enter__, mode.__exit__ = begin, end  # type: ignore[method-assign]

    return undo
