"""What each node tells about itself: op, outputs, scalars."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

import torch
from torch.autograd.function import BackwardCFunction

from autograd_inspect.autograd._torch import GraphNode, op_name
from autograd_inspect.model.tables import Kind, Spec

_VIEW_OPS = frozenset(
    [
        *(
            "Alias",
            "AsStrided",
            "Conj",
            "Diagonal",
            "Expand",
            "Imag",
            "Indices",
            "Movedim",
            "Narrow",
        ),
        *("Permute", "Real", "ReshapeAlias", "Select", "Slice", "Split", "SplitWithSizes"),
        *("Squeeze", "T", "Transpose", "Unbind", "Unfold", "Unsqueeze", "Values", "View"),
        *("ViewAsComplex", "ViewAsReal"),
    ]
)

#: Scalars longer than this are no scalars.
_LONGEST_TEXT = 80
_LONGEST_TUPLE = 8

Key = TypeVar("Key")


class Interned(dict[Key, int]):
    """Row numbers for values that come again and again: looking one up adds it if it is new."""

    def __init__(self, values: Iterable[Key] = ()) -> None:
        super().__init__((value, row) for row, value in enumerate(values))

    def __missing__(self, key: Key) -> int:
        row = self[key] = len(self)
        return row


@dataclass(frozen=True, slots=True)
class NodeClass:
    """What all nodes of one Python class have in common, found once per class.

    `scalars` reads all scalar attributes in one call; `saved` names the saved tensors.
    """

    op: str
    kind: Kind
    scalar_names: tuple[str, ...]
    scalars: Callable[[GraphNode], Any] | None
    saved: tuple[str, ...]


def describe_class(node: GraphNode) -> NodeClass:
    """Find out what a node's class has to offer; `dir` costs as much as walking ten nodes."""
    attributes = [name for name in dir(type(node)) if name.startswith(("_saved_", "_raw_saved_"))]
    raw = [name for name in attributes if name.startswith("_raw")]
    scalars = tuple(
        name
        for name in attributes
        if name.startswith("_saved") and f"_raw{name}" not in raw and "_sym_" not in name
    )
    return NodeClass(
        op=op_name(node),
        kind=kind_of(node),
        scalar_names=tuple(name.removeprefix("_saved_") for name in scalars),
        scalars=attrgetter(*scalars) if scalars else None,
        saved=tuple(name.removeprefix("_raw_saved_") for name in raw),
    )


def kind_of(node: GraphNode) -> Kind:
    """Sort a node into the kinds that are shown apart."""
    if isinstance(node, BackwardCFunction):
        return _kind_of_function(type(node))
    name = op_name(node)
    if name == "AccumulateGrad":
        return Kind.LEAF
    if name == "CopySlices":
        return Kind.INPLACE
    return Kind.VIEW if name.partition("Backward")[0] in _VIEW_OPS else Kind.OPERATION


def _kind_of_function(cls: type) -> Kind:
    """Sort a Python Function by who wrote it: torch's own machinery, or the user."""
    forward = getattr(cls, "_forward_cls", cls)
    if forward.__module__.startswith("torch.utils.checkpoint"):
        return Kind.CHECKPOINT
    if forward.__module__.startswith("torch.nn.modules._functions") and "Hook" in cls.__name__:
        return Kind.HOOK
    if cls.__name__.startswith("CompiledFunction") and forward.__module__.startswith("torch._"):
        return Kind.COMPILED
    return Kind.CUSTOM


@lru_cache(maxsize=4096)
def dtype_name(dtype: torch.dtype) -> str:
    """Name a dtype without its module: `float32`."""
    return str(dtype).removeprefix("torch.")


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """Give a tensor as one with strides, to look up single elements in it."""
    return tensor.to_dense() if tensor.layout is not torch.strided else tensor


def spec_of(tensor: torch.Tensor) -> Spec:
    """Describe a tensor; works for whatever has shape, dtype and device."""
    return make_spec((tuple(tensor.shape), tensor.dtype, tensor.device))


def make_spec(key: tuple[tuple[Any, ...], torch.dtype, torch.device]) -> Spec:
    """Turn torch's own description into plain data; a symbolic size becomes its text."""
    shape, dtype, device = key
    sizes = tuple(size if type(size) is int else str(size) for size in shape)
    return Spec(sizes, dtype_name(dtype), str(device))


def read_scalars(node: GraphNode, cls: NodeClass) -> str:
    """Read the scalars a node saved, as one JSON object."""
    found: dict[str, object] = {}
    if cls.scalars is not None:
        for name in cls.scalar_names:
            try:
                value = getattr(node, f"_saved_{name}")
            except RuntimeError:  # freed, or of a type that torch does not hand out
                continue
            found[name] = value
    if cls.kind is Kind.CUSTOM:
        found.update(vars(node))
    plain = {name: plain_scalar(value) for name, value in found.items()}
    return json.dumps({name: value for name, value in plain.items() if value is not None})


def plain_scalar(value: object) -> object:  # noqa: PLR0911 - one per case
    """Give a scalar, or short tuple of scalars, as plain JSON; None for anything else."""
    match value:
        case bool() | None:
            return value
        case int():
            # A dim of -1 comes back as the unsigned 2**64 - 1.
            return value - 2**64 if value >= 2**63 else value
        case float():
            return value if math.isfinite(value) else repr(value)
        case str():
            return value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - 1] + "…"
        case complex() | torch.dtype() | torch.device() | torch.layout():
            return str(value).removeprefix("torch.")
        case tuple() | list() if len(value) <= _LONGEST_TUPLE:
            return [plain_scalar(part) for part in value]
    return None


#: Nodes read at once: what torch hands out for them is given back before the next are read.
AT_ONCE = 64
_OUTPUTS = attrgetter("_input_metadata")
_SHAPE, _DTYPE, _DEVICE = map(attrgetter, ("shape", "dtype", "device"))


class Specs(Interned[Any]):
    """Rows for shape, dtype and device of whatever has these; `make_spec` turns a key to a Spec."""

    def of_plain(self, described: Iterable[tuple[Any, ...]]) -> list[int]:
        """Give a row for each shape, dtype and device; raises TypeError for a symbolic size."""
        return list(map(self.__getitem__, described))

    def of_odd(self, described: Any) -> int:
        """Give the row of one that may be nested or symbolic."""
        try:
            shape = tuple(size if type(size) is int else str(size) for size in described.shape)
        except RuntimeError:  # nested tensors have a shape per part
            shape = ("nested",)
        return self[shape, described.dtype, described.device]


def _described(outputs: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
    """Give shape, dtype and device; raises RuntimeError where there is no plain shape."""
    shapes = map(tuple, map(_SHAPE, outputs))
    return zip(shapes, map(_DTYPE, outputs), map(_DEVICE, outputs), strict=True)


class DetailReader:
    """Reads nodes by the hundred and keeps the tables that their descriptions point into.

    Nearly all are plain, and a column of theirs is read by `map` alone: one line of Python for each
    would cost as much as torch's answer. Where one is not, the whole hundred is read one by one.
    """

    def __init__(self) -> None:
        self.ops: Interned[str] = Interned()
        self.specs = Specs()
        self.attributes: Interned[str] = Interned()
        self.nothing = self.attributes["{}"]

    def outputs(self, nodes: Sequence[GraphNode]) -> tuple[list[int], list[int]]:
        """Count each node's outputs, and give their rows of `specs` one after the other."""
        counts: list[int] = []
        rows: list[int] = []
        for first in range(0, len(nodes), AT_ONCE):
            found = list(map(_OUTPUTS, nodes[first : first + AT_ONCE]))
            counts += map(len, found)
            outputs = list(chain.from_iterable(found))
            try:
                rows += self.specs.of_plain(_described(outputs))
            except (RuntimeError, TypeError):  # a nested tensor has no shape, a SymInt no hash
                rows += map(self.specs.of_odd, outputs)
        return counts, rows

    def scalars(self, nodes: Sequence[GraphNode], cls: NodeClass) -> list[int]:
        """Rows of `attributes` for the scalars of nodes of one class."""
        if cls.kind is Kind.CUSTOM:
            return [self.attributes[read_scalars(node, cls)] for node in nodes]
        if cls.scalars is None:
            return [self.nothing] * len(nodes)
        try:
            # By their text: 1, 1.0 and True are one dictionary key, and a list is none.
            texts = list(map(repr, map(cls.scalars, nodes)))
        except RuntimeError:  # freed
            return [self.attributes[read_scalars(node, cls)] for node in nodes]
        example = dict(zip(texts, nodes, strict=True))
        row_of = {text: self.attributes[read_scalars(n, cls)] for text, n in example.items()}
        return list(map(row_of.__getitem__, texts))
