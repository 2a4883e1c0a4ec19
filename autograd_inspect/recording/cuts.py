"""Places of the program where values lose their graph, and what is known of each."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch

from autograd_inspect.model.flow import CutKind
from autograd_inspect.recording.sites import OUTSIDE, Call, Site, Spot
from autograd_inspect.run.files import is_own

#: How much is kept of each: the leaves behind it, and the operations its values went to.
_MOST_LEAVES, _MOST_USES = 1000, 12

SpecKey = tuple[tuple[Any, ...], torch.dtype, torch.device]


@dataclass(slots=True, eq=False)
class Known:
    """What is known of where a tensor came from. Lives as long as a tensor made from it does.

    parents  of the tensors it was computed from, those that are known
    leaf     the tensor itself, where it is a leaf that requires grad
    cuts     the cuts that its values came through since they last had a graph
    direct   the cut that it came straight out of
    """

    parents: tuple[Known, ...] = ()
    leaf: weakref.ref[torch.Tensor] | None = None
    cuts: frozenset[Cut] = frozenset()
    direct: Cut | None = None


@dataclass(slots=True)
class Use:
    """An operation that took a value that a cut had put out."""

    op: str
    spot: Spot
    times: int = 0


@dataclass(slots=True, eq=False)
class Cut:
    """One place, with everything that happened there.

    region    where gradients were switched off
    leaves    behind what went in, by id; the weak reference tells a dead one
    upstream  cuts that what went in had come through before it had a graph again
    """

    kind: CutKind
    op: str
    spot: Spot
    region: Site | None
    spec: SpecKey
    times: int = 0
    raised: bool = False
    leaves: dict[int, weakref.ref[torch.Tensor]] = field(default_factory=dict)
    upstream: set[Cut] = field(default_factory=set)
    uses: dict[tuple[str, int], Use] = field(default_factory=dict)

    def happened(self, call: Call, sources: Iterable[Known]) -> None:
        """Count one more time; look at what went in less and less often."""
        self.times += 1
        self.spot = (self.spot[0], _common(self.spot[1], call))
        if self.times & (self.times - 1) == 0:
            self._look_behind(sources)

    def used_by(self, op: str, spot: Spot) -> None:
        """Note who took what came out."""
        key = op, id(spot[0])
        use = self.uses.get(key)
        if use is None and len(self.uses) < _MOST_USES:
            use = self.uses[key] = Use(op, spot)
        if use is not None:
            use.times += 1

    def _look_behind(self, sources: Iterable[Known]) -> None:
        """Collect the leaves, and the earlier cuts, that lead to what went in."""
        waiting = list(sources)
        seen = set(map(id, waiting))
        while waiting:
            known = waiting.pop()
            self.upstream |= known.cuts
            if known.leaf is not None and len(self.leaves) < _MOST_LEAVES:
                tensor = known.leaf()
                if tensor is not None:
                    self.leaves[id(tensor)] = known.leaf
            for parent in known.parents:
                if id(parent) not in seen:
                    seen.add(id(parent))
                    waiting.append(parent)


def _common(one: Call, other: Call) -> Call:
    """Give the innermost call of a module that both are in: one line may run in many modules."""
    if one.module is other.module:
        return other
    around = {id(call.module) for call in _outwards(one)}
    return next((call for call in _outwards(other) if id(call.module) in around), OUTSIDE)


def _outwards(call: Call) -> Iterator[Call]:
    while call is not OUTSIDE:
        yield call
        call = call.parent


@dataclass(frozen=True, slots=True)
class Way:
    """What stands between an operation and the line of the user's that asked for it.

    Told by the functions of torch and the standard library that are on the stack.
    """

    is_ours_to_tell: bool
    kind: CutKind | None


_UNTOLD = Way(is_ours_to_tell=False, kind=None)


def way_to(frame: FrameType | None) -> Way:
    """Read the frames from an operation out to the user's line."""
    kind: CutKind | None = None
    while frame is not None and not is_own(frame.f_code.co_filename):
        file, function = frame.f_code.co_filename.replace("\\", "/"), frame.f_code.co_name
        if "/torch/optim/" in file or "/torch/nn/init.py" in file:
            # An optimizer's arithmetic on parameters is what it is there for.
            return _UNTOLD
        if "/torch/distributions/" in file:
            if function in {"__init__", "_validate_sample"}:  # only checks its arguments
                return _UNTOLD
            kind = CutKind.SAMPLE if function == "sample" else kind
        elif function in {"__deepcopy__", "deepcopy", "load_state_dict"}:
            kind = CutKind.COPY
        frame = frame.f_back
    return Way(is_ours_to_tell=True, kind=kind)
