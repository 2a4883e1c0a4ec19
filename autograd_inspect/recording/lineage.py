"""What is known of the program's tensors: where each came from, as long as it lives."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from types import FrameType

import torch

from autograd_inspect.model.flow import CutKind
from autograd_inspect.recording.cuts import Cut, Known
from autograd_inspect.run.files import is_own

Tensors = Sequence[torch.Tensor]

#: What `.data` gave is seldom kept; so many are remembered.
_MOST_ALIASES = 10_000

_NO_CUTS: frozenset[Cut] = frozenset()


class _Watched(weakref.ref[torch.Tensor]):
    """A weak reference that knows where its tensor is listed."""

    __slots__ = ("key", "known")
    key: int
    known: Known


class Lineage:
    """What is known of each tensor, by `id`; nothing of a tensor outlives it here."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._owners: dict[int, tuple[weakref.ref[torch.Tensor], weakref.ref[torch.Tensor]]] = {}
        self._on_death = self._forget

    def note(self, tensor: torch.Tensor, known: Known) -> None:
        """Say where a tensor came from."""
        watched = _Watched(tensor, self._on_death)
        watched.key, watched.known = id(tensor), known
        self._watched[watched.key] = watched

    def of(self, tensor: torch.Tensor) -> Known | None:
        """Give what is known of a tensor; a leaf that requires grad is its own origin."""
        watched = self._watched.get(id(tensor))
        known = watched.known if watched is not None and watched() is tensor else None
        if known is not None and known.leaf is not None:
            return known
        if tensor.is_leaf and has_graph(tensor):
            cuts, direct = (known.cuts, known.direct) if known else (_NO_CUTS, None)
            known = Known(leaf=weakref.ref(tensor), cuts=cuts, direct=direct)
            self.note(tensor, known)
        return known

    def of_all(self, tensors: Tensors) -> tuple[Known, ...]:
        """Give what is known of tensors, those left out of which nothing is."""
        return tuple(known for known in map(self.of, tensors) if known is not None)

    def tainted(self, tensors: Tensors) -> list[Known]:
        """Give what is known of those tensors whose values came out of a cut."""
        found = []
        for tensor in tensors:
            watched = self._watched.get(id(tensor))
            if watched is not None and watched.known.cuts and watched() is tensor:
                found.append(watched.known)
        return found

    def note_alias(self, alias: torch.Tensor, given: Tensors) -> None:
        """Remember which leaf `.data` was asked of."""
        if given and given[0].is_leaf and given[0].requires_grad:
            if len(self._owners) >= _MOST_ALIASES:
                self._owners.clear()
            self._owners[id(alias)] = weakref.ref(alias), weakref.ref(given[0])

    def owner_of(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Give the leaf that shares its values with what `.data` gave, or with a view of that."""
        if not self._owners:
            return None
        base = tensor._base if tensor._is_view() else tensor
        alias, owner = self._owners.get(id(base), (None, None))
        return owner() if alias is not None and owner is not None and alias() is base else None

    def _forget(self, watched: weakref.ref[torch.Tensor]) -> None:
        assert isinstance(watched, _Watched)
        if self._watched.get(watched.key) is watched:
            del self._watched[watched.key]


def has_graph(tensor: torch.Tensor) -> bool:
    """Tell whether a gradient can flow into a tensor.

    A view made under no_grad says that it requires grad if its base does, and has no graph.
    """
    if not tensor.requires_grad:
        return False
    base = tensor._base if tensor.is_leaf else None
    return base is None or not base.requires_grad


def cuts_behind(tainted: Sequence[Known]) -> frozenset[Cut]:
    """Give the cuts that any of these values came through."""
    return _NO_CUTS.union(*(known.cuts for known in tainted))


def cuts_carried(
    tainted: Sequence[Known], kind: CutKind | None, frame: FrameType
) -> frozenset[Cut]:
    """Give the cuts behind a result; a gradient that the program detaches is meant to have none."""
    cuts = cuts_behind(tainted)
    if kind is CutKind.DETACH and is_own(frame.f_code.co_filename):
        return frozenset(cut for cut in cuts if cut.kind is not CutKind.NO_CREATE_GRAPH)
    return cuts
