"""Places of the program where values lose their graph, and what is known of each."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch

from autograd_inspect.model.flow import CutKind
from autograd_inspect.recording.sites import Site, Spot, line_spot, spot_of
from autograd_inspect.run.files import is_own

#: How much is kept of each: the leaves behind it, and the operations its values went to.
_MOST_LEAVES, _MOST_USES = 1000, 12
#: More places than this are a program that makes code as it runs.
_MOST_PLACES = 10_000

SpecKey = tuple[tuple[Any, ...], torch.dtype, torch.device]


@dataclass(slots=True, eq=False)
class Known:
    """What is known of where a tensor came from. Lives as long as a tensor made from it does.

    parents  of the tensors it was computed from, those that are known
    leaf     the tensor itself, where it is a leaf that requires grad
    cuts     the cuts that its values came through since they last had a graph
    direct   the cut that it came straight out of
    turn     how many backward calls there had been by then
    """

    parents: tuple[Known, ...] = ()
    leaf: weakref.ref[torch.Tensor] | None = None
    cuts: frozenset[Cut] = frozenset()
    direct: Cut | None = None
    turn: int = 0


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
    times     how often it happened; 0 as long as what came out was not used by anybody
    leaves    behind what went in, by id; the weak reference tells a dead one
    named     what they were called when they were last asked for, by id
    upstream  cuts that what went in had come through before it had a graph again
    truncates it happens again and again before one backward, each time to what was computed from
              what it put out the time before and from nothing earlier
    """

    kind: CutKind
    op: str
    spot: Spot
    region: Site | None
    spec: SpecKey
    times: int = 0
    raised: bool = False
    leaves: dict[int, weakref.ref[torch.Tensor]] = field(default_factory=dict)
    named: dict[int, str] = field(default_factory=dict)
    upstream: set[Cut] = field(default_factory=set)
    uses: dict[tuple[str, int], Use] = field(default_factory=dict)
    truncates: bool = False
    _turn: int = 0
    _before: int = 0
    _looks: int = 0
    _counts_uses: bool = False

    def happened(self, sources: Sequence[Known], turn: int = 0, *, beside: bool = False) -> None:
        """Count one more time; look far back at what went in less and less often.

        `turn` is how many backward calls there have been.

        `beside` is what an operation puts out besides what it is called for, as `sort` does its
        indices: it counts when it is used.
        """
        if beside:
            self._counts_uses = True
        else:
            self.times += 1
        self._looks += 1
        for known in sources:
            self._add_leaf(known)
        if turn != self._turn:
            self._turn, self._before = turn, 0
        if self._looks & (self._looks - 1) == 0:
            self._look_behind(sources)
        self._before += 1

    def used_by(self, op: str, spot: Spot) -> None:
        """Note who took what came out."""
        if self._counts_uses:
            self.times += 1
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
        own = 0
        while waiting:
            known = waiting.pop()
            self.upstream |= known.cuts
            own += known.direct is self and known.turn == self._turn
            self._add_leaf(known)
            for parent in known.parents:
                if id(parent) not in seen:
                    seen.add(id(parent))
                    waiting.append(parent)
        # A pair of states, as an LSTM has, goes through together.
        self.truncates |= 0 < 2 * own <= self._before

    def _add_leaf(self, known: Known) -> None:
        tensor = known.leaf() if known.leaf is not None else None
        if tensor is None or known.leaf is None or len(self.leaves) >= _MOST_LEAVES:
            return
        if self.leaves.get(id(tensor)) is not known.leaf:
            self.named.pop(id(tensor), None)  # of one that lay at this address before
            self.leaves[id(tensor)] = known.leaf


class Cuts:
    """All places that cut the graph, each found again when it does so once more."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int, int], tuple[Spot, Cut | None]] = {}
        self._all: dict[tuple[str, CutKind, int, int, int], Cut] = {}

    def __iter__(self) -> Iterator[Cut]:
        """Go through those that count, in the order they were first seen."""
        return (cut for cut in self._all.values() if cut.times)

    def at(
        self, op: str, kind: CutKind, frame: FrameType, region: Site | None, source: torch.Tensor
    ) -> Cut | None:
        """Find or make the record of a place; None where it is nobody's business."""
        spot = spot_of(frame)
        line, module = line_spot(spot)[0], spot[1].module
        key = op, id(line), id(region), id(module)
        if key not in self._known:
            if len(self._known) >= _MOST_PLACES:
                return None
            self._known[key] = spot, self._make(op, kind, frame, region, source)
        return self._known[key][1]

    def _make(
        self,
        op: str,
        kind: CutKind,
        frame: FrameType,
        region: Site | None,
        source: torch.Tensor,
    ) -> Cut | None:
        way = way_to(frame, kind)
        if not way.is_ours_to_tell:
            return None
        spot = spot_of(frame)
        line = line_spot(spot)[0]
        # A region that the line itself opened is a detail of the function that it calls.
        region = None if region is line else region
        op, kind = way.op or op, kind if way.kind is None else way.kind
        cut = Cut(kind, op, spot, region, spec_key(source))
        same = op, kind, id(line), id(region), id(spot[1].module)
        return self._all.setdefault(same, cut)


def with_upstream(cuts: Iterable[Cut]) -> set[Cut]:
    """Give cuts, and all that what went into them had come through before."""
    found = set(cuts)
    waiting = list(found)
    while waiting:
        further = waiting.pop().upstream - found
        found |= further
        waiting += further
    return found


def spec_key(tensor: torch.Tensor) -> SpecKey:
    """Describe a tensor without keeping it."""
    return tuple(tensor.shape), tensor.dtype, tensor.device


@dataclass(frozen=True, slots=True)
class Way:
    """What stands between an operation and the line of the user's that asked for it.

    Told by the functions of torch and the standard library that are on the stack.

    op  what the user called, where that is not the operation itself
    """

    is_ours_to_tell: bool = True
    kind: CutKind | None = None
    op: str = ""


_UNTOLD = Way(is_ours_to_tell=False)

#: Files of torch whose arithmetic on tensors that require grad is what they are there for.
_UNTOLD_FILES = ("/torch/optim/", "/torch/nn/init.py", "/torch/autograd/functional.py")


def way_to(frame: FrameType | None, kind: CutKind | None = None) -> Way:
    """Read the frames from an operation out to the user's line."""
    way = Way()
    while frame is not None and not is_own(frame.f_code.co_filename):
        file, function = frame.f_code.co_filename.replace("\\", "/"), frame.f_code.co_name
        if file.endswith("/torch/autograd/functional.py") and kind is CutKind.NO_CREATE_GRAPH:
            way = Way(op=f"torch.autograd.functional.{function}")
        elif any(part in file for part in _UNTOLD_FILES):
            return _UNTOLD
        if "/torch/distributions/" in file:
            if function in {"__init__", "_validate_sample"}:  # only checks its arguments
                return _UNTOLD
            if function == "sample":
                owner = type(frame.f_locals.get("self")).__name__
                way = Way(kind=CutKind.SAMPLE, op=f"{owner}.sample")
        elif function == "load_state_dict":
            way = Way(kind=CutKind.COPY, op="Module.load_state_dict")
        elif function == "vector_to_parameters":
            way = Way(kind=CutKind.COPY, op="vector_to_parameters")
        elif file.endswith("/copy.py") and function == "deepcopy":
            way = Way(kind=CutKind.COPY, op="copy.deepcopy")
        frame = frame.f_back
    return way
