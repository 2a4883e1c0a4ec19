"""What a program does to gradients between a backward and the step that uses them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from autograd_inspect.autograd.holding import storages_of
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.facts import Event, EventKind
from autograd_inspect.model.observed import Drift, Share
from autograd_inspect.model.places import Place
from autograd_inspect.tracing.frames import line_at

#: Different combinations of losses that are kept.
_MOST = 200


@dataclass(slots=True)
class _Mixture:
    """Parameters of an optimizer whose gradients came of the same backward calls."""

    step: Place | None
    parameters: list[int]


@dataclass(slots=True, eq=False)
class Deeds:
    """Sees gradients rescaled, and which losses a step's gradients came from; holds no tensor.

    A loss goes by the line that called its backward, a leaf by its `id`.

    note        is told of what was done to gradients
    _gradients  leaves, by the address of the gradient
    _since      the losses that a leaf's gradient has come from since it was cleared
    _reach      the leaves that a loss led to, and how deep they lay
    _holds      what each optimizer holds
    _mixed      steps whose gradients came from several losses
    _drifting   what each line of a step moved though it was frozen, and by which optimizer
    _stepped    the optimizers that stepped after a loss
    _waiting    losses whose gradients no step has used, until the next one after `_is_spent`
    """

    start: Path
    note: Callable[[Event], None]
    _gradients: dict[int, weakref.ref[torch.Tensor]] = field(default_factory=dict)
    _since: dict[int, tuple[weakref.ref[torch.Tensor], set[Place]]] = field(default_factory=dict)
    _reach: dict[Place, dict[int, int]] = field(default_factory=dict)
    _holds: dict[str, set[int]] = field(default_factory=dict)
    _mixed: dict[tuple[str, frozenset[Place]], _Mixture] = field(default_factory=dict)
    _drifting: dict[Place | None, dict[int, str]] = field(default_factory=dict)
    _stepped: dict[Place, set[str]] = field(default_factory=dict)
    _waiting: set[Place] = field(default_factory=set)
    _is_spent: bool = False

    def before_backward(self, walked: Walk, place: Place | None) -> None:
        """Notice which gradients were cleared."""
        reach = self._reach.setdefault(place, {}) if place is not None else {}
        depths = walked.graph.node_table.depth
        nodes = walked.graph.leaf_table.node.tolist()
        for node, leaf in zip(nodes, walked.leaves, strict=False):
            key = id(leaf)
            depth = int(depths[node])
            reach[key] = min(depth, reach.get(key, depth))
            known = self._since.get(key)
            if known is not None and (known[0]() is not leaf or not _has_gradient(leaf)):
                del self._since[key]

    def after_backward(self, leaves: Sequence[torch.Tensor], place: Place | None) -> None:
        """Note what has got a gradient."""
        if self._is_spent:
            self._waiting, self._is_spent = set(), False
        if place is not None:
            self._waiting.add(place)
        for leaf in leaves:
            gradient = leaf.grad
            if gradient is None or not leaf.requires_grad:  # frozen since: it took nothing in
                continue
            if gradient.layout is torch.strided:
                self._gradients[_address(gradient)] = weakref.ref(leaf)
            if place is not None:
                known = self._since.setdefault(id(leaf), (weakref.ref(leaf), set()))
                known[1].add(place)

    def wrote(self, tensor: torch.Tensor, function: Callable[..., Any], frame: FrameType) -> None:
        """See an in-place write, which may have been to a gradient."""
        name = getattr(function, "__name__", "")
        if not self._gradients or "zero" in name or tensor.layout is not torch.strided:
            return
        if not self._is_gradient(tensor) or _in_optimizer(frame):
            return
        kind = EventKind.UNSCALE if name.startswith("_amp_") else EventKind.RESCALE
        self.note(Event(kind, name, line_at(frame, self.start)))

    def _is_gradient(self, tensor: torch.Tensor) -> bool:
        """Tell whether a tensor shares the memory of a gradient that is still there."""
        address = _address(tensor)
        known = self._gradients.get(address)
        leaf = known() if known is not None else None
        gradient = leaf.grad if leaf is not None else None
        return gradient is not None and _address(gradient) == address

    def step(self, optimizer: torch.optim.Optimizer, name: str, place: Place | None) -> None:
        """Note the losses that a step's gradients came from, and what it moved though frozen."""
        for one in _moved_though_frozen(optimizer):
            known = self._since.get(id(one))
            if known is not None and known[0]() is one:
                self._drifting.setdefault(place, {})[id(one)] = name
        held = {id(one) for group in optimizer.param_groups for one in group["params"]}
        self._holds[name] = held
        self._is_spent = True
        for place_of_loss in self._waiting:
            if held & self._reach.get(place_of_loss, {}).keys():
                self._stepped.setdefault(place_of_loss, set()).add(name)
        for key in held & self._since.keys():
            places = self._since[key][1]
            if len(places) > 1 and len(self._mixed) < _MOST:
                mixture = self._mixed.setdefault((name, frozenset(places)), _Mixture(place, []))
                if key not in mixture.parameters:
                    mixture.parameters.append(key)

    def drifts(self, names: Callable[[int], str]) -> tuple[Drift, ...]:
        """List the steps that moved what had got gradients before and was frozen since."""
        return tuple(
            Drift(next(iter(found.values())), place, tuple(filter(None, map(names, found))))
            for place, found in self._drifting.items()
        )

    def shares(self, names: Callable[[int], str]) -> tuple[Share, ...]:
        """List the steps that used what the loss of another optimizer had sent along."""
        return tuple(
            share
            for (name, places), mixture in self._mixed.items()
            for share in self._judge(name, places, mixture, names)
        )

    def _judge(
        self, name: str, places: frozenset[Place], mixture: _Mixture, names: Callable[[int], str]
    ) -> list[Share]:
        own, foreign = self._spent_by_others(name, places)
        if not foreign:
            own, foreign = self._aimed_at_others(name, places, mixture)
        if own is None:
            return []
        parameters = tuple(filter(None, map(names, mixture.parameters)))
        return [
            Share(name, mixture.step, parameters, own, place, other)
            for place, other in foreign.items()
        ]

    def _spent_by_others(
        self, name: str, places: frozenset[Place]
    ) -> tuple[Place | None, dict[Place, str]]:
        """Tell losses after which this optimizer stepped from those after which only others did."""
        stepped = {place: self._stepped.get(place, set()) for place in places}
        own = next((place for place, by in stepped.items() if by == {name}), None)
        foreign = {place: min(by) for place, by in stepped.items() if by and name not in by}
        return own, foreign if own is not None else {}

    def _aimed_at_others(
        self, name: str, places: frozenset[Place], mixture: _Mixture
    ) -> tuple[Place | None, dict[Place, str]]:
        """Tell losses of this optimizer alone from those that reach what another holds."""
        others = {other: held - self._holds[name] for other, held in self._holds.items()}
        aim = {
            place: next((o for o, held in others.items() if held & reach.keys()), "")
            for place in places
            if (reach := self._reach.get(place, {}))
        }
        own = next((place for place, other in aim.items() if not other), None)
        foreign = {
            place: other
            for place, other in aim.items()
            if other and self._lies_behind(place, others[other], mixture.parameters)
        }
        return own, foreign

    def _lies_behind(self, place: Place, others: set[int], mine: Sequence[int]) -> bool:
        """Tell whether a loss reaches the parameters of others by way of mine."""
        reach = self._reach[place]
        behind = [reach[key] for key in others & reach.keys()]
        before = [reach[key] for key in mine if key in reach]
        return bool(behind and before) and min(before) < min(behind)


def _moved_though_frozen(optimizer: torch.optim.Optimizer) -> Iterator[torch.Tensor]:
    """Give what a step moved although it requires no grad: a gradient was left there."""
    for group in optimizer.param_groups:
        for one in group["params"]:
            if one.requires_grad or one.grad is None or not group.get("lr", 0):
                continue
            state = [
                s for s in optimizer.state.get(one, {}).values() if torch.is_tensor(s) and s.dim()
            ]
            pushes = [one.grad, *(s for s in state if s.shape == one.shape)]
            if group.get("weight_decay") or any(map(_is_any, pushes)):
                yield one


def _is_any(tensor: torch.Tensor) -> bool:
    if tensor.layout is torch.strided:
        return bool(torch.count_nonzero(tensor.detach()))
    return not tensor.is_sparse or tensor.coalesce().values().numel() > 0


def _has_gradient(leaf: torch.Tensor) -> bool:
    gradient = leaf.grad
    return gradient is not None and _is_any(gradient)


def _address(tensor: torch.Tensor) -> int:
    return storages_of(tensor)[0][0]


def _in_optimizer(frame: FrameType) -> bool:
    file = frame.f_code.co_filename.replace("\\", "/")
    return "/torch/optim/" in file
