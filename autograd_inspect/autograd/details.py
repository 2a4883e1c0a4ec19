"""What each node tells about itself: op, outputs, scalars, saved tensors."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress
from operator import attrgetter
from typing import Any, TypeVar

import torch
from torch.autograd.function import BackwardCFunction

from autograd_inspect.autograd._torch import GraphNode, op_name, saved_tensor
from autograd_inspect.model.tables import Kind, SavedState, Spec

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

    `scalars` reads all scalar attributes in one call; `raw` names the saved tensors' attributes.
    """

    op: str
    kind: Kind
    scalar_names: tuple[str, ...]
    scalars: Callable[[GraphNode], Any] | None
    raw: tuple[tuple[str, str], ...]


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
        raw=tuple((name, name.removeprefix("_raw_saved_")) for name in raw),
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
_AT_ONCE = 64
_OUTPUTS, _UNPACK_HOOK, _DATA = map(attrgetter, ("_input_metadata", "unpack_hook", "data"))
_SHAPE, _DTYPE, _DEVICE = map(attrgetter, ("shape", "dtype", "device"))
_STORAGE, _ADDRESS = torch.Tensor.untyped_storage, attrgetter("_cdata")
_SIZE = torch.UntypedStorage.nbytes
_PLAIN = {torch.Tensor, torch.nn.Parameter}


@dataclass(slots=True)
class SavedRows:
    """The saved tensors of all nodes read so far, column by column."""

    node: list[int]
    name: list[int]
    spec: list[int]
    bytes: list[int]
    storage: list[int]
    state: list[int]


class DetailReader:
    """Reads nodes by the hundred and keeps the tables that their descriptions point into.

    Nearly all are plain, and a column of theirs is read by `map` alone: one line of Python for each
    would cost as much as torch's answer. Where one is not, the whole hundred is read one by one.
    """

    def __init__(self) -> None:
        self.ops: Interned[str] = Interned()
        self.names: Interned[str] = Interned()
        self.specs: Interned[Any] = Interned()
        self.storages: Interned[int] = Interned()
        self.attributes: Interned[str] = Interned()
        self.saved = SavedRows([], [], [], [], [], [])
        self.nothing = self.attributes["{}"]

    def outputs(self, nodes: Sequence[GraphNode]) -> tuple[list[int], list[int]]:
        """Count each node's outputs, and give their rows of `specs` one after the other."""
        counts: list[int] = []
        rows: list[int] = []
        for first in range(0, len(nodes), _AT_ONCE):
            found = list(map(_OUTPUTS, nodes[first : first + _AT_ONCE]))
            counts += map(len, found)
            outputs = list(chain.from_iterable(found))
            try:
                rows += self._plain_specs(outputs)
            except (RuntimeError, TypeError):  # a nested tensor has no shape, a SymInt no hash
                rows += map(self._odd_spec, outputs)
        return counts, rows

    def _plain_specs(self, described: Sequence[Any]) -> list[int]:
        shapes = map(tuple, map(_SHAPE, described))
        keys = zip(shapes, map(_DTYPE, described), map(_DEVICE, described), strict=True)
        return list(map(self.specs.__getitem__, keys))

    def _odd_spec(self, described: Any) -> int:
        try:
            shape = tuple(size if type(size) is int else str(size) for size in described.shape)
        except RuntimeError:  # nested tensors have a shape per part
            shape = ("nested",)
        return self.specs[shape, described.dtype, described.device]

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

    def read_saved(
        self, numbers: Sequence[int], nodes: Sequence[GraphNode], cls: NodeClass
    ) -> None:
        """Note the tensors that nodes of one class keep for their backward."""
        for attribute, name in cls.raw:
            for first in range(0, len(nodes), _AT_ONCE):
                part = slice(first, first + _AT_ONCE)
                if not self._read_plain(numbers[part], nodes[part], attribute, name):
                    for number, node in zip(numbers[part], nodes[part], strict=True):
                        self._read_one(number, node, attribute, name)

    def _read_plain(
        self, numbers: Sequence[int], nodes: Sequence[GraphNode], attribute: str, name: str
    ) -> bool:
        """Note one saved tensor of each node; do nothing and give False where one is not plain."""
        try:
            raw = list(map(attrgetter(attribute), nodes))
            hooks = list(map(_UNPACK_HOOK, raw))
            if hooks.count(None) < len(hooks):
                return False
            found = list(map(_DATA, raw))
            there = [one is not None for one in found]
            tensors = list(compress(found, there))
            if not set(map(type, tensors)) <= _PLAIN:
                return False
            specs = self._plain_specs(tensors)
            storages = list(map(_STORAGE, tensors))
            sizes = list(map(_SIZE, storages))
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            return False  # a list of tensors; freed, sparse, nested, symbolic
        rows, row = self.saved, self.names[name]
        rows.node += compress(numbers, there)
        rows.name += [row] * len(tensors)
        rows.spec += specs
        rows.bytes += sizes
        rows.storage += map(self.storages.__getitem__, map(_ADDRESS, storages))
        rows.state += [SavedState.HELD] * len(tensors)
        if len(tensors) < len(nodes):
            for number, node, held in zip(numbers, nodes, there, strict=True):
                if not held and _is_freed(node, name):
                    self._note(number, name, (-1, 0, -1, SavedState.FREED))
        return True

    def _read_one(self, number: int, node: GraphNode, attribute: str, name: str) -> None:
        try:
            raw = getattr(node, attribute)
        except RuntimeError:  # a custom Function whose tensors were freed
            return
        for one in raw if type(raw) is tuple else (raw,):
            tensor, packed = saved_tensor(one)
            if tensor is not None:
                self._note_tensor(number, name, tensor)
            elif packed:
                self._note(number, name, (-1, 0, -1, SavedState.PACKED))
            elif _is_freed(node, name):
                self._note(number, name, (-1, 0, -1, SavedState.FREED))

    def _note_tensor(self, number: int, name: str, tensor: torch.Tensor) -> None:
        spec = self._odd_spec(tensor)
        for address, size in storages_of(tensor):
            self._note(number, name, (spec, size, self.storages[address], SavedState.HELD))

    def _note(self, number: int, name: str, facts: tuple[int, int, int, SavedState]) -> None:
        rows = self.saved
        rows.node.append(number)
        rows.name.append(self.names[name])
        rows.spec.append(facts[0])
        rows.bytes.append(facts[1])
        rows.storage.append(facts[2])
        rows.state.append(facts[3])


def _is_freed(node: GraphNode, name: str) -> bool:
    """Tell a saved tensor that was freed from one that this call had no need to save."""
    try:
        getattr(node, f"_saved_{name}")
    except RuntimeError:
        return True
    return False


def storages_of(tensor: torch.Tensor) -> Iterable[tuple[int, int]]:
    """Address and size in bytes of each storage that a tensor keeps alive.

    The address is that of the storage object: `data_ptr` is 0 for every empty or meta tensor. A
    tensor without a storage of its own (sparse, some subclasses) answers through its parts.
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
