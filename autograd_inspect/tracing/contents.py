"""What lies in a value: the elements of a container, the attributes of an object."""

from __future__ import annotations

import itertools
import types
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from autograd_inspect.run.files import is_own
from autograd_inspect.tracing.expression import is_a

#: Containers within containers that modules keep things in, and their size.
_DEEP, _MANY = 2, 1000

#: What has nothing in it that could be a tensor or a module of the program.
OPAQUE = (
    str, bytes, int, float, complex, bool, type(None), type, types.ModuleType, types.FunctionType,
    types.BuiltinFunctionType, types.MethodType, types.GeneratorType, types.CodeType,
    types.FrameType, torch.optim.Optimizer, torch.Size, torch.dtype, torch.device,
)  # fmt: skip


def contents_of(value: object) -> Iterator[tuple[str, Any]]:
    """Give the tensors and modules in a value, two containers deep, or in an object of theirs."""
    queue: list[tuple[str, Any, int]] = [("", value, 0)]
    for path, item, depth in queue:
        if is_a(item, (torch.Tensor, nn.Module)):
            yield path, item
        elif depth < _DEEP and is_a(item, (list, tuple, dict)) and len(item) <= _MANY:
            queue.extend((path + by, part, depth + 1) for by, part in parts_of(item))
        elif depth < _DEEP and not is_a(item, OPAQUE) and is_own(file_of(type(item))):
            queue.extend((path + by, part, _DEEP) for by, part in parts_of(item))


def file_of(cls: type) -> str:
    """Give the file of a class that has functions of its own; empty for any other."""
    codes = (getattr(one, "__code__", None) for one in vars(cls).values())
    return next((code.co_filename for code in codes if code is not None), "")


def parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Give what is directly in a value, with the step that leads there: `[0]`, `['x']`, `.x`."""
    if is_a(value, dict):
        yield from ((f"[{key!r}]", part) for key, part in list(value.items()) if _short(key))
    elif is_a(value, (list, tuple)):
        yield from ((f"[{number}]", part) for number, part in enumerate(value[:1000]))
    elif is_a(value, (deque, set, frozenset)):
        few = itertools.islice(list(value), 1000)
        yield from ((f"[{number}]", part) for number, part in enumerate(few))
    else:
        yield from ((f".{name}", part) for name, part in list(_attributes(value).items()))


def _attributes(value: object) -> dict[str, Any]:
    """Give an object's own attributes without running code of its class."""
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        found = {}
    return found or dict(_in_slots(value))


def _in_slots(value: object) -> Iterator[tuple[str, Any]]:
    for cls in type(value).__mro__:
        for name, slot in list(vars(cls).items()) if "__slots__" in vars(cls) else ():
            if type(slot) is types.MemberDescriptorType:
                with suppress(AttributeError):  # it has no value yet
                    yield name, slot.__get__(value)


def _short(key: object) -> bool:
    return isinstance(key, str | int) and len(str(key)) <= 60
