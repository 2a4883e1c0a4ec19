"""What keeps memory: the storages behind tensors, and the tensors inside plain objects."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import torch

#: Hooks of torch's own that have a name that people know: module, and how the hook's name begins.
_KNOWN = {
    ("torch.utils.checkpoint", ""): "checkpoint",
    ("torch.autograd.graph", "save_on_cpu"): "save_on_cpu",
}
_LONGEST_KEY = 60


def storages_of(tensor: torch.Tensor) -> list[tuple[int, int]]:
    """Address and size in bytes of each storage that a tensor keeps alive.

    The address is that of the storage object: `data_ptr` is 0 for every empty or meta tensor. A
    sparse tensor has several, one that torch does not let look inside none.
    """
    try:
        storage = tensor.untyped_storage()
        return [(storage._cdata, storage.nbytes())]
    except (NotImplementedError, RuntimeError):
        parts = _sparse_parts(tensor)
        return [pair for part in parts for pair in storages_of(part)]


def _sparse_parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    if tensor.layout is torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    if tensor.layout in {torch.sparse_csr, torch.sparse_bsr}:
        return [tensor.crow_indices(), tensor.col_indices(), tensor.values()]
    if tensor.layout in {torch.sparse_csc, torch.sparse_bsc}:
        return [tensor.ccol_indices(), tensor.row_indices(), tensor.values()]
    return []


def bytes_of(tensors: Iterable[torch.Tensor]) -> int:
    """Count the bytes that tensors keep alive, each storage once."""
    with torch._C.DisableTorchFunction():
        sizes = {address: size for one in tensors for address, size in storages_of(one)}
    return sum(sizes.values())


def tensors_within(value: object, *, levels: int = 3) -> Iterator[tuple[str, torch.Tensor]]:
    """Give the tensors in nested tuples, lists and dicts, so many levels deep, each with its place.

    The places read as code does, `cache['k'][0]`; the keys of the outermost dict stand bare, as
    those of an object's `__dict__`. Runs no code of the objects themselves.
    """
    queue: list[tuple[str, Any, int]] = [("", value, 0)]
    for path, one, level in queue:
        if issubclass(type(one), torch.Tensor):
            yield path, one
        elif level < levels:
            queue += ((path + by, part, level + 1) for by, part in _parts(one, bare=not path))


def _parts(value: Any, *, bare: bool) -> Iterable[tuple[str, object]]:
    kind = type(value)
    if issubclass(kind, dict):
        return [(_key(key, bare=bare), part) for key, part in list(dict.items(value))]
    if issubclass(kind, list):
        return [(f"[{place}]", part) for place, part in enumerate(list.__iter__(value))]
    if issubclass(kind, tuple):
        return [(f"[{place}]", part) for place, part in enumerate(tuple.__iter__(value))]
    return []


def _key(key: object, *, bare: bool) -> str:
    if type(key) is str and bare and key.isidentifier():
        return key
    told = type(key) in {str, int, bool, type(None)} and len(str(key)) <= _LONGEST_KEY
    return f"[{key!r}]" if told else f"[<{type(key).__name__}>]"


def packer_of(hook: object) -> str:
    """Name who packs saved tensors by the hook that unpacks them, which is not called."""
    while type(hook) is functools.partial:
        hook = hook.func
    if type(hook) is MethodType:
        hook = hook.__func__
    named = hook if isinstance(hook, FunctionType | BuiltinFunctionType) else type(hook)
    module, name = named.__module__ or "", named.__qualname__
    for (where, start), known in _KNOWN.items():
        if module == where and name.startswith(start):
            return known
    return name if module in {"", "__main__", "builtins"} else f"{module}.{name}"
