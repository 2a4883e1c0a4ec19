"""The calls of custom Functions, kept with the nodes that they make.

Torch asks what to remember of a node while `Function.apply` is on the stack, before the forward has
touched its arguments. So nothing of the program's is replaced, and what is kept lives as long as
the node.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any

import torch
from torch import nn
from torch.autograd import Function

from autograd_inspect.autograd._torch import GraphNode, in_transform
from autograd_inspect.autograd.randomness import RandomState
from autograd_inspect.autograd.rerunning import CustomCall, saved_of
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.recording.creation import MARK, Mark
from autograd_inspect.recording.sites import Text
from autograd_inspect.run.files import is_own

_APPLY = Function.apply.__func__.__code__  # type: ignore[attr-defined]

#: Bytes of arguments that are kept at any time.
ROOM = 2**29


class Noted(Text):
    """Goes into the mark of a node: the call of the Function that made it."""

    __slots__ = ("__weakref__", "call")
    call: CustomCall


class CustomCalls:
    """Notes the calls of custom Functions while the program runs.

    found    the calls that left a node in the captured graph
    dropped  the nodes in it whose arguments there was no room for
    ignored  class and first line of methods called backward that autograd never calls
    trouble  an error of ours, kept so that it never surfaces inside the user's program
    """

    def __init__(self, mark: Callable[[FrameType], Mark], room: int = ROOM) -> None:
        self._mark = mark
        self._room = room
        self.found: list[CustomCall] = []
        self.dropped = 0
        self.ignored: dict[type[nn.Module], tuple[str, int]] = {}
        self.trouble: Exception | None = None
        self._followed = False

    def mark(self, frame: FrameType) -> Mark:
        """Say what to remember of a node that is being made."""
        mark = self._mark(frame)
        if frame.f_code is not _APPLY or not torch.is_grad_enabled() or in_transform():
            return mark
        try:
            noted = self._note(**{name: frame.f_locals[name] for name in ("cls", "args", "kwargs")})
        except Exception as error:  # noqa: BLE001 - the user's program must not see it
            self.trouble = error
            return mark
        return mark if noted is None else (*mark, noted)

    def follow(self, walked: Walk) -> None:
        """Find the calls that left a node in a graph, and wait for its backward."""
        if not self._followed:  # looking at all objects that there are is dear
            self.ignored = _backwards_of_modules()
        self._followed = True
        self.found, self.dropped = [], 0
        for number, node in enumerate(walked.nodes):
            function = getattr(type(node), "_forward_cls", None)
            if function is None or _is_of_torch(function):
                continue
            call = _call_of(node, function)
            if call is None:
                self.dropped += 1
                continue
            call.node = number
            self.found.append(call)
            node.register_prehook(_keep_upstream(call, weakref.ref(node)))
            node.register_hook(_keep_returned(call))

    def _note(
        self, cls: type[Function], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Noted | None:
        learning = tuple(
            place
            for place, one in enumerate(args)
            if isinstance(one, torch.Tensor) and one.requires_grad
        )
        if not learning or _is_of_torch(cls):
            return None
        size = sum(_size(one) for one in (*args, *kwargs.values()))
        if size > self._room:
            return None
        self._room -= size
        arguments, options = tuple(map(_copy, args)), {k: _copy(one) for k, one in kwargs.items()}
        noted = Noted()
        noted.call = CustomCall(cls, arguments, options, learning, RandomState.now())
        weakref.finalize(noted, self._give_back, size).atexit = False
        return noted

    def _give_back(self, size: int) -> None:
        self._room += size


def _backwards_of_modules() -> dict[type[nn.Module], tuple[str, int]]:
    """Find classes of living modules with a backward that takes a gradient, as if it were called.

    Those of libraries that train, which take a loss and are called by the library, are others.
    """
    found = {}
    for kind in {type(one) for one in gc.get_objects() if issubclass(type(one), nn.Module)}:
        code = getattr(getattr(kind, "backward", None), "__code__", None)
        if not isinstance(code, CodeType) or not is_own(code.co_filename):
            continue
        names = code.co_varnames[: code.co_argcount]
        if any(name.startswith("grad") for name in names[1:2]):
            found[kind] = code.co_filename, code.co_firstlineno
    return found


def _call_of(node: GraphNode, function: type[Function]) -> CustomCall | None:
    for one in node.metadata.get(MARK, ()):
        if type(one) is Noted and one.call.function is function:
            return one.call
    return None


def _keep_upstream(call: CustomCall, node: Callable[[], GraphNode | None]) -> Callable[..., None]:
    def keep(gradients: Sequence[torch.Tensor | None]) -> None:
        if call.upstream is None:
            call.upstream = list(map(_value, gradients))
            call.twice = torch.is_grad_enabled()
            saved = saved_of(node())
            call.saved = None if saved is None else list(map(_value, saved))

    return keep


def _keep_returned(call: CustomCall) -> Callable[..., None]:
    def keep(returned: Sequence[torch.Tensor | None], _: object) -> None:
        if call.returned is None:
            call.returned = list(map(_value, returned))

    return keep


def _is_of_torch(function: type[Function]) -> bool:
    """Tell the Functions that torch itself is made of, and makes for compiled code."""
    return function.__module__.partition(".")[0] == "torch"


def _copy(value: Any) -> Any:
    """Copy a tensor, also in a list or tuple; whatever else there is is kept as it is."""
    if isinstance(value, torch.Tensor):
        return _value(value)
    if type(value) in {list, tuple}:
        return type(value)(map(_copy, value))
    return value


def _size(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    return sum(map(_size, value)) if type(value) in {list, tuple} else 0


def _value(tensor: torch.Tensor | None) -> torch.Tensor | None:
    with torch.no_grad():
        return None if tensor is None else tensor.detach().clone()
