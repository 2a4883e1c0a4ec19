"""What nodes keep for their backward, read without unpacking it and without code of the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, repeat
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.autograd.function import BackwardCFunction

from autograd_inspect.autograd._torch import GraphNode
from autograd_inspect.autograd.details import AT_ONCE, Interned, NodeClass, Specs
from autograd_inspect.autograd.holding import packer_of, storages_of, tensors_within
from autograd_inspect.autograd.results import is_result
from autograd_inspect.autograd.roles import maker_of, roles_of_storages
from autograd_inspect.model.tables import Ints, SavedRole, SavedState, SavedTable

_UNPACK_HOOK, _DATA = attrgetter("unpack_hook"), attrgetter("data")
_STORAGE, _ADDRESS = torch.Tensor.untyped_storage, attrgetter("_cdata")
_SIZE = torch.UntypedStorage.nbytes
_SPEC = attrgetter("shape", "dtype", "device")
_VERSION, _MAKER, _BASE = map(attrgetter, ("_version", "grad_fn", "_base"))
_PLAIN = {torch.Tensor, nn.Parameter}

#: Origins that are no node of the graph: none at all, and one that the graph does not lead to.
_NOBODY, _SOMEBODY = -1, -2
#: The attribute in which a Function written in Python finds what it saved.
_OF_FUNCTION = "saved_tensors"
#: What torch says where a tensor is not what it was when it was saved.
_OVERWRITTEN = "is at version "


@dataclass(slots=True)
class _Rows:
    """The saved tensors of all nodes read so far, column by column.

    origin    the node that made it, _NOBODY or _SOMEBODY
    stale     rows that were overwritten in place since
    packers   by row, the row in `names` of the hook that packed it
    doubtful  rows of custom Functions of which it cannot be told whether they were given or made
    """

    node: list[int] = field(default_factory=list)
    name: list[int] = field(default_factory=list)
    spec: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    storage: list[int] = field(default_factory=list)
    state: list[int] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    packers: dict[int, int] = field(default_factory=dict)
    doubtful: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _One:
    """A name under which one node keeps tensors, and who made these: a node, one unknown, none."""

    number: int
    name: str
    maker: object = None
    stale: bool = False
    doubtful: bool = False


class SavedReader:
    """Reads saved tensors class by class, a column of many plain ones at a time.

    storages  row numbers by the address of the storage object: good for as long as the graph lives
    """

    def __init__(self, specs: Specs, index: Mapping[GraphNode, int]) -> None:
        self.names: Interned[str] = Interned()
        self.storages: Interned[int] = Interned()
        self._specs = specs
        numbers: dict[Any, int] = {**index, None: _NOBODY}
        self._number_of = numbers.get
        self._rows = _Rows()
        self._frozen: set[int] = set()

    def read(self, numbers: Sequence[int], nodes: Sequence[GraphNode], cls: NodeClass) -> None:
        """Note the tensors that nodes of one class keep."""
        if isinstance(nodes[0], BackwardCFunction):
            for number, node in zip(numbers, nodes, strict=True):
                self._read_function(number, node)
            return
        for name in cls.saved:
            result = is_result(cls.op, name)
            for first in range(0, len(nodes), AT_ONCE):
                part = slice(first, first + AT_ONCE)
                if not self._read_plain(numbers[part], nodes[part], name, result=result):
                    for number, node in zip(numbers[part], nodes[part], strict=True):
                        self._read_one(number, node, name, result=result)

    def _read_plain(
        self, numbers: Sequence[int], nodes: Sequence[GraphNode], name: str, *, result: bool
    ) -> bool:
        """Note one saved tensor of each node; do nothing and give False where one is not plain."""
        try:
            raw = list(map(attrgetter(f"_raw_saved_{name}"), nodes))
            hooks = list(map(_UNPACK_HOOK, raw))
            if hooks.count(None) < len(hooks):
                return False
            found = list(map(_DATA, raw))
            there = [one is not None for one in found]
            tensors, savers, holders = found, nodes, numbers
            if not all(there):
                tensors = list(compress(found, there))
                savers, holders = list(compress(nodes, there)), list(compress(numbers, there))
            if not set(map(type, tensors)) <= _PLAIN:
                return False
            specs = self._specs.of_plain(map(_SPEC, tensors))
            storages = list(map(_STORAGE, tensors))
            sizes = list(map(_SIZE, storages))
            overwritten = any(map(_VERSION, tensors)) and _any_stale(savers, name)
            makers = savers if result else list(map(_MAKER, tensors))
            origins = list(map(self._number_of, makers, repeat(_SOMEBODY)))
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            return False  # a list of tensors; freed, sparse, nested, symbolic
        if overwritten:
            return False
        rows, known = self._rows, len(self.storages)
        rows.node += holders
        rows.name += [self.names[name]] * len(tensors)
        rows.spec += specs
        rows.bytes += sizes
        rows.storage += map(self.storages.__getitem__, map(_ADDRESS, storages))
        rows.state += [SavedState.HELD] * len(tensors)
        rows.origin += origins
        if len(self.storages) > known and _NOBODY in origins:
            self._notice_frozen(list(compress(tensors, map(_NOBODY.__eq__, origins))))
        if len(tensors) < len(nodes):
            for number, node, held in zip(numbers, nodes, there, strict=True):
                if not held and _is_freed(node, f"_saved_{name}"):
                    self._add(_One(number, name, node if result else None), SavedState.FREED)
        return True

    def _notice_frozen(self, tensors: Sequence[torch.Tensor]) -> None:
        """Remember the storages of parameters, and of their views, that no node leads to."""
        bases = list(map(_BASE, tensors))
        if nn.Parameter in {*map(type, tensors), *map(type, bases)}:
            for tensor, base in zip(tensors, bases, strict=True):
                if isinstance(tensor, nn.Parameter) or isinstance(base, nn.Parameter):
                    self._frozen.update(self.storages[key] for key, _ in storages_of(tensor))

    def _read_one(self, number: int, node: GraphNode, name: str, *, result: bool) -> None:
        """Note what one node saved under a name, whatever it is."""
        maker = node if result else None
        try:
            raw = getattr(node, f"_raw_saved_{name}")
        except RuntimeError:  # of a list that was freed
            self._add(_One(number, name), SavedState.FREED)
            return
        if type(raw) is not tuple:
            self._read_raw(_One(number, name, maker), node, raw, f"_saved_{name}")
            return
        for place, one in enumerate(raw):
            self._read_raw(_One(number, f"{name}[{place}]", maker), node, one, f"_saved_{name}")

    def _read_function(self, number: int, node: GraphNode) -> None:
        """Note what a Function written in Python keeps: what it saved, and in its context."""
        try:
            raw = node._raw_saved_tensors
        except RuntimeError:  # freed
            raw = ()
        for place, one in enumerate(raw):
            what = _One(number, f"{_OF_FUNCTION}[{place}]", doubtful=True)
            self._read_raw(what, node, one, _OF_FUNCTION)
        # These stay until the context goes, whether backward has run or not.
        for name, tensor in tensors_within(vars(node), levels=2):
            self._add_tensor(_One(number, f"ctx.{name}", maker_of(tensor), doubtful=True), tensor)

    def _read_raw(self, what: _One, node: GraphNode, raw: Any, attribute: str) -> None:
        hook, data = raw.unpack_hook, raw.data
        if hook is not None:
            self._add_packed(what, hook, data)
        elif isinstance(data, torch.Tensor):
            maker, stale = _look_at(node, raw, data, attribute)
            self._add_tensor(replace(what, maker=what.maker or maker, stale=stale), data)
        elif attribute != _OF_FUNCTION and _is_freed(node, attribute):
            self._add(what, SavedState.FREED)

    def _add_packed(self, what: _One, hook: object, packed: object) -> None:
        """Note what a hook packed: the tensors in it that can be seen are held somewhere."""
        first = len(self._rows.node)
        for _, tensor in tensors_within(packed):
            self._add_tensor(replace(what, doubtful=False), tensor, SavedState.PACKED)
        if len(self._rows.node) == first:
            self._add(what, SavedState.PACKED)
        packer = self.names[packer_of(hook)]
        self._rows.packers.update(dict.fromkeys(range(first, len(self._rows.node)), packer))

    def _add_tensor(
        self, what: _One, tensor: torch.Tensor, state: SavedState = SavedState.HELD
    ) -> None:
        spec = self._specs.of_odd(tensor)
        found = storages_of(tensor)
        if not found:
            self._add(what, state, spec=spec)
        for address, size in found:
            row = self.storages[address]
            if isinstance(tensor, nn.Parameter) or isinstance(tensor._base, nn.Parameter):
                self._frozen.add(row)
            self._add(what, state, spec=spec, size=size, storage=row)

    def _add(
        self, what: _One, state: SavedState, *, spec: int = -1, size: int = 0, storage: int = -1
    ) -> None:
        rows, row = self._rows, len(self._rows.node)
        rows.node.append(what.number)
        rows.name.append(self.names[what.name])
        rows.spec.append(spec)
        rows.bytes.append(size)
        rows.storage.append(storage)
        rows.state.append(state)
        rows.origin.append(self._number_of(what.maker, _SOMEBODY))
        if what.stale:
            rows.stale.append(row)
        if what.doubtful and what.maker is None:
            rows.doubtful.append(row)

    def held(self) -> int:
        """Count the bytes of all storages seen, each once."""
        sizes = dict(zip(self._rows.storage, self._rows.bytes, strict=True))
        sizes.pop(-1, None)
        return sum(sizes.values())

    def table(self, leaves: Sequence[torch.Tensor]) -> SavedTable:
        """Make the table; `leaves` are those of the graph, in the order of its leaf table."""
        rows = self._rows
        count = len(rows.node)
        node, name, spec, storage, origin = (
            np.fromiter(column, np.int32, count)
            for column in (rows.node, rows.name, rows.spec, rows.storage, rows.origin)
        )
        state = np.fromiter(rows.state, np.uint8, count)
        stale, packer = np.zeros(count, np.bool_), np.full(count, -1, np.int32)
        stale[rows.stale] = True
        packer[list(rows.packers)] = list(rows.packers.values())
        leaf_of = self._leaf_of_storage(leaves)
        made = origin != _NOBODY
        given = (state == SavedState.HELD) & ~made
        given[rows.doubtful] = False
        role = roles_of_storages(
            leaf_of, leaves, given=storage[given], made=storage[made], frozen=self._frozen
        )[storage]
        role[(storage < 0) & made] = SavedRole.ACTIVATION
        order = np.argsort(node, kind="stable")  # they were read class by class
        return SavedTable(
            node=node[order],
            name=name[order],
            spec=spec[order],
            bytes=np.fromiter(rows.bytes, np.int64, count)[order],
            storage=storage[order],
            leaf=leaf_of[storage[order]],
            state=state[order],
            role=role[order],
            origin=np.maximum(origin, _NOBODY)[order],
            packer=packer[order],
            stale=stale[order],
            write=np.full(count, -1, np.int32),
        )

    def _leaf_of_storage(self, leaves: Sequence[torch.Tensor]) -> Ints:
        """Give the leaf in each storage, and -1 behind the last for what has no storage."""
        found = np.full(len(self.storages) + 1, -1, np.int32)
        for row, leaf in enumerate(leaves):
            for address, _ in storages_of(leaf):
                if address in self.storages:
                    found[self.storages[address]] = row
        return found


def _look_at(node: GraphNode, raw: Any, data: torch.Tensor, attribute: str) -> tuple[object, bool]:
    """Find the node that made a tensor saved by `node`, and whether it was overwritten since.

    There is no hook on it, so that torch's own check of it runs no code of the program.
    """
    maker, version = maker_of(data), _version(data)
    if maker is not None and not version:
        return maker, False
    try:
        unpacked = raw.unpack()
    except RuntimeError as error:
        if _OVERWRITTEN in str(error):
            return maker, True
        # A result is given out only to the node that it came from. The names of torch's own tell.
        maker = node if attribute == _OF_FUNCTION else None
        return maker, bool(version) and _refuses(node, attribute, version)
    return (maker_of(unpacked) if maker is None else maker), False


def _version(tensor: torch.Tensor) -> int:
    try:
        return tensor._version
    except RuntimeError:  # of an inference tensor
        return 0


def _refuses(node: GraphNode, attribute: str, version: int) -> bool:
    """Tell whether a node refuses to give out a result of its own for its version."""
    function = getattr(type(node), "_forward_cls", None)
    if getattr(function, "clear_saved_tensors_on_access", False):
        return False
    try:
        getattr(node, attribute)
    except RuntimeError as error:
        return f"{_OVERWRITTEN}{version};" in str(error)
    return False


def _any_stale(nodes: Iterable[GraphNode], name: str) -> bool:
    """Tell whether any of these nodes refuses to give out what it saved under a name."""
    try:
        list(map(attrgetter(f"_saved_{name}"), nodes))
    except RuntimeError:
        return True
    return False


def _is_freed(node: GraphNode, attribute: str) -> bool:
    """Tell a saved tensor that was freed from one that this call had no need to save."""
    try:
        getattr(node, attribute)
    except RuntimeError:
        return True
    return False
