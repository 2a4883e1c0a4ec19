"""What a graph holds for its backward, summed up by operation, module, line or tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is the program's to import first
    from autograd_inspect.model.places import Module, Place
    from autograd_inspect.model.tables import SavedRole, Spec


@dataclass(frozen=True, slots=True)
class Held:
    """The saved tensors of one operation, module or line, or those that lie in one storage.

    All sizes are in bytes. `parameters`, `buffers`, `inputs`, `activations` and `other` add up to
    `unique`; other is what hooks packed and nothing tells from what.

    name     of the operation, module, line or tensor; of a tensor without one, what made it
    tensors  how many saved tensors
    nodes    how many nodes keep them
    total    those of a shared storage once for each tensor in it
    unique   each storage once in the whole graph: where the node that saved it first, in forward
             order, belongs
    place    the line; None where none was recorded
    module   the module; None outside of modules
    spec     shape, dtype and device of the tensor
    role     what the tensor is to the program
    node     the node that made the tensor; -1 where none of the graph did, and for groups
    """

    name: str
    tensors: int
    nodes: int
    total: int
    unique: int
    parameters: int
    buffers: int
    inputs: int
    activations: int
    other: int
    place: Place | None = None
    module: Module | None = None
    spec: Spec | None = None
    role: SavedRole | None = None
    node: int = -1


@dataclass(frozen=True, slots=True)
class Packed:
    """What hooks packed.

    packer   `checkpoint`, `save_on_cpu`, or the hook's qualified name
    tensors  how many it packed
    held     bytes that its packed objects are seen to hold, each storage once
    """

    packer: str
    tensors: int
    held: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What is held for backward; sizes in bytes, as in `Held`.

    by        `op`, `module`, `line` or `tensor`
    rows      the groups, largest first, as many as were asked for
    groups    how many groups there are
    tensors   saved tensors that are there, or packed
    storages  different storages that they lie in
    packed    by hook, what hooks packed
    freed     saved tensors that a backward has freed already
    unseen    in-place writes to views: torch does not show what these keep
    omitted   why the capture has no saved tensors at all, empty where it has
    weights   all parameters of the program's modules, -1 where not counted
    grads     the gradients that these had when the graph was walked, -1 likewise
    """

    by: str
    rows: tuple[Held, ...]
    groups: int
    tensors: int
    storages: int
    total: int
    unique: int
    parameters: int
    buffers: int
    inputs: int
    activations: int
    other: int
    packed: tuple[Packed, ...]
    freed: int
    unseen: int
    omitted: str
    weights: int
    grads: int

    def share(self, row: Held) -> float:
        """Give a row's share of all unique bytes, from 0 to 1."""
        return row.unique / self.unique if self.unique else 0.0
