"""What each function of torch does to the graph, as far as its name tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any

import torch

from autograd_inspect.model.flow import CutKind

Function = Callable[..., Any]


class Sort(IntEnum):
    """How a function is watched."""

    #: Reads no values, or is no operation: `size`, `shape`, `register_hook`.
    PASS = 0
    #: Anything else that takes tensors.
    OPERATION = 1
    #: Gives something that is no tensor: `item`, `numpy`.
    LEAVES_TORCH = 2
    #: Switches gradients on or off.
    SWITCH = 3
    #: Decides whether a tensor learns, or asks: `requires_grad_`, `.grad`, `.data = `.
    LEARNING = 4


_DETACHING = {"detach": CutKind.DETACH, "detach_": CutKind.DETACH, "detach_copy": CutKind.DETACH}
_LEAVING = {
    **dict.fromkeys(("item", "tolist", "__float__", "__int__", "__index__"), CutKind.NUMBER),
    **dict.fromkeys(("__bool__", "__complex__", "is_nonzero", "equal", "allclose"), CutKind.NUMBER),
    **dict.fromkeys(("numpy", "__array__", "__dlpack__"), CutKind.NUMPY),
}
_COPYING = {
    **dict.fromkeys(("tensor", "as_tensor", "asarray", "new_tensor"), CutKind.NEW_TENSOR),
    **dict.fromkeys(("scalar_tensor", "from_numpy", "frombuffer"), CutKind.NEW_TENSOR),
    **dict.fromkeys(
        ("linspace", "logspace", "arange", "range", "full", "new_full"), CutKind.FACTORY
    ),
    "full_like": CutKind.FACTORY,
    "__deepcopy__": CutKind.COPY,
    "copy_": CutKind.COPY,
}
_BY_NAME: dict[str, CutKind] = {**_DETACHING, **_LEAVING, **_COPYING}

#: Properties that give a tensor computed from the tensor's values; all others describe it.
_PROPERTIES = ("data", "T", "H", "mT", "mH", "real", "imag")

_LEARNING = {
    ("requires_grad_", ""),
    ("__set__", "requires_grad"),
    ("__set__", "data"),
    ("__get__", "grad"),
}

_PASSED = frozenset([
    # What reads a tensor's description,
    "__contains__", "__dir__", "__format__", "__hash__", "__len__", "__reduce_ex__", "__repr__",
    "__setstate__", "_has_compatible_shallow_copy_type", "_is_view", "_typed_storage", "can_cast",
    "data_ptr", "dim", "dim_order", "element_size", "finfo", "get_default_dtype", "get_device",
    "iinfo", "is_coalesced", "is_complex", "is_conj", "is_contiguous", "is_floating_point",
    "is_inference", "is_neg", "is_pinned", "is_same_size", "is_set_to", "is_shared", "is_signed",
    "is_storage", "is_tensor", "ndimension", "nelement", "numel", "promote_types", "result_type",
    "size", "storage", "storage_offset", "stride", "type_of", "untyped_storage",
    # what controls autograd and the like,
    "_record_function_enter_new", "backward", "grad", "manual_seed", "register_hook",
    "register_post_accumulate_grad_hook", "rename_", "retain_grad",
    "share_memory_",
    # and what makes a tensor of the description of another.
    "broadcast_shapes", "empty", "empty_like", "eye", "new_empty", "new_empty_strided", "new_ones",
    "new_zeros", "ones", "ones_like", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm", "tril_indices", "triu_indices", "zeros", "zeros_like",
])  # fmt: skip


@lru_cache(maxsize=8192)
def sort_of(function: Function) -> Sort:
    """Sort a function, as torch hands it to a mode."""
    name = getattr(function, "__name__", "")
    if name == "_set_grad_enabled":
        return Sort.SWITCH
    if (name, property_name(function)) in _LEARNING:
        return Sort.LEARNING
    if name == "__get__":
        return Sort.OPERATION if property_name(function) in _PROPERTIES else Sort.PASS
    if name in {"__set__", "__delete__", ""} or name in _PASSED or "RecordFunction" in name:
        return Sort.PASS
    return Sort.LEAVES_TORCH if name in _LEAVING else Sort.OPERATION


@lru_cache(maxsize=8192)
def name_of(function: Function) -> str:
    """Name a function as one writes it: `Tensor.detach`, `torch.argmax`, `F.relu`.

    By what the function tells of itself: `torch.overrides.resolve_name` makes python forget which
    warnings it has shown.
    """
    name = getattr(function, "__name__", str(function))
    if name == "__get__":
        return f"Tensor.{property_name(function)}"
    owner, module = getattr(function, "__objclass__", None), getattr(function, "__module__", "")
    if (owner is not None and issubclass(torch.Tensor, owner)) or module == "torch._tensor":
        return f"Tensor.{name}"
    for start, prefix in _PREFIXES.items():
        if (module or "").startswith(start):
            bare = prefix.rstrip(".").rpartition(".")[2]
            return prefix + name.removeprefix(f"{bare}_")
    return f"torch.{name}"


_PREFIXES = {
    "torch.nn.functional": "F.",
    "torch._C._nn": "F.",
    "torch.nn.init": "nn.init.",
    "torch._C._linalg": "torch.linalg.",
    "torch._C._fft": "torch.fft.",
    "torch._C._special": "torch.special.",
}


@lru_cache(maxsize=8192)
def kind_by_name(function: Function) -> CutKind | None:
    """Tell how a function cuts the graph where that is what it is there for."""
    name = getattr(function, "__name__", "")
    if name == "__get__":
        return CutKind.DATA if property_name(function) == "data" else None
    return _BY_NAME.get(name)


def kind_by_result(output: torch.Tensor) -> CutKind:
    """Tell why an operation that is not there for it cut the graph."""
    if torch.is_inference_mode_enabled():
        return CutKind.INFERENCE
    if not torch.is_grad_enabled():
        return CutKind.NO_GRAD
    if output.is_floating_point() or output.is_complex() or output.is_quantized:
        return CutKind.NOT_DIFFERENTIABLE
    return CutKind.INTEGER


def property_name(function: Any) -> str:
    """Name the property that a function gets or sets; empty for any other function."""
    return str(getattr(getattr(function, "__self__", None), "__name__", ""))


def tensors_among(arguments: tuple[Any, ...], options: dict[str, Any] | None) -> list[torch.Tensor]:
    """List the tensors that a function was given, in lists and tuples too, three levels deep."""
    found: list[torch.Tensor] = []
    for value in arguments:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif type(value) in _CONTAINERS:
            _collect(value, found, 2)
    if options:
        for value in options.values():
            if isinstance(value, torch.Tensor):
                found.append(value)
            elif type(value) in _CONTAINERS:
                _collect(value, found, 2)
    return found


def tensors_in_result(result: Any) -> list[torch.Tensor]:
    """List the tensors that a function gave back."""
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, tuple | list):
        found: list[torch.Tensor] = []
        _collect(result, found, 2)
        return found
    return []


#: Functions that read no values of their other tensors, only shape, dtype or device.
_LIKE_OTHERS = {"expand_as", "view_as", "reshape_as", "type_as", "resize_as_", "to"}
#: Functions that read no values of their first tensor.
_LIKE_FIRST = {"new_tensor", "new_full", "full_like"}
#: Functions whose n-th result comes of their n-th tensor alone.
_ONE_EACH = {"broadcast_tensors", "meshgrid", "_pack_padded_sequence"}


def values_among(
    function: Function, arguments: tuple[Any, ...], inputs: list[torch.Tensor]
) -> list[torch.Tensor]:
    """Give those of a function's tensors whose values it reads."""
    name = getattr(function, "__name__", "")
    if name in _LIKE_OTHERS:
        return [one for one in inputs if one is arguments[0]] if arguments else inputs
    if name in _LIKE_FIRST:
        return [one for one in inputs if not arguments or one is not arguments[0]]
    return inputs


def inputs_of_output(
    function: Function, inputs: Sequence[torch.Tensor], place: int, outputs: int
) -> Sequence[torch.Tensor]:
    """Give those of a function's tensors that one of its results was computed from."""
    name = getattr(function, "__name__", "")
    one_each = name in _ONE_EACH or name.startswith(("atleast_", "_foreach_"))
    if outputs < 2 or not one_each or len(inputs) % outputs:
        return inputs
    return inputs[place::outputs]


_CONTAINERS = (list, tuple, dict)


def _collect(values: Any, found: list[torch.Tensor], deeper: int) -> None:
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif deeper and isinstance(value, list | tuple):
            _collect(value, found, deeper - 1)
