"""What saved tensors are to the program, decided storage by storage.

The first of these that holds:

parameter   an `nn.Parameter` lies in it: one of the graph, or of a module that the program's
            variables lead to; frozen ones too
buffer      a buffer of such a module lies in it
input       a leaf of the graph that is no parameter lies in it
activation  a node made it: some tensor in it has a `grad_fn`, or torch saved it as a result of the
            very node that keeps it
input       no node made it: data, masks, indices, numbers
unknown     it was freed, or a hook packed it into something else

A custom Function may keep what it computed on its way, which has no `grad_fn` either. Of what such
a Function keeps, an input is what a variable of the program holds, and the rest is activation;
until `owned` has looked, both are unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from autograd_inspect.autograd.holding import storages_of
from autograd_inspect.model.tables import Bools, Bytes, Ints, SavedRole, SavedState, SavedTable

#: Stands for a node that torch does not name.
_UNNAMED = object()


def maker_of(tensor: torch.Tensor) -> object:
    """Give the node that made a tensor, None where none did."""
    try:
        return tensor.grad_fn
    except RuntimeError:  # a view of what was overwritten may have lost its own
        return _UNNAMED


def roles_of_storages(
    leaf_of: Ints,
    leaves: Sequence[torch.Tensor],
    *,
    given: Ints,
    made: Ints,
    frozen: Collection[int],
) -> Bytes:
    """Say what each storage is as far as the graph alone tells, unknown where that is not far.

    `leaf_of` is the leaf in each storage. The others are storages: `given` with a tensor in them
    that no node made, `made` with one that a node made, `frozen` of parameters that are no leaves.
    The last row is for what has no storage.
    """
    role = np.full(len(leaf_of), SavedRole.UNKNOWN, np.uint8)
    role[given] = SavedRole.INPUT
    role[made] = SavedRole.ACTIVATION
    for storage in np.flatnonzero(leaf_of >= 0).tolist():
        is_parameter = isinstance(leaves[leaf_of[storage]], nn.Parameter)
        role[storage] = SavedRole.PARAMETER if is_parameter else SavedRole.INPUT
    role[list(frozen)] = SavedRole.PARAMETER
    role[-1] = SavedRole.UNKNOWN
    return role


def owned(
    table: SavedTable,
    storages: Mapping[int, int],
    *,
    parameters: Iterable[torch.Tensor],
    buffers: Iterable[torch.Tensor],
    held: Iterable[torch.Tensor],
) -> SavedTable:
    """Give the table with what the program's modules and variables tell of its storages.

    `storages` are the reader's, and `held` the tensors that variables of the program lead to.
    """
    tensors = list(held)
    makers = list(map(maker_of, tensors))

    def among(some: Iterable[torch.Tensor]) -> Bools:
        rows = [storages[key] for one in some for key, _ in storages_of(one) if key in storages]
        return np.isin(table.storage, rows)

    made = among(one for one, maker in zip(tensors, makers, strict=True) if maker is not None)
    given = among(one for one, maker in zip(tensors, makers, strict=True) if maker is None)
    role = table.role.copy()
    role[(table.leaf < 0) & made & (role != SavedRole.PARAMETER)] = SavedRole.ACTIVATION
    unknown = role == SavedRole.UNKNOWN
    role[unknown & given] = SavedRole.INPUT
    role[unknown & ~given & (table.state == SavedState.HELD)] = SavedRole.ACTIVATION
    role[among(buffers)] = SavedRole.BUFFER
    role[among(parameters)] = SavedRole.PARAMETER
    return replace(table, role=role)
