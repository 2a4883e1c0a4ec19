"""What became of the tensors that the program means to train, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from autograd_inspect.autograd._torch import is_leaf, made_by, sequence_of, version_of
from autograd_inspect.checking.live import Describer
from autograd_inspect.model.facts import Holder, Kept, Learner
from autograd_inspect.model.places import Place
from autograd_inspect.recording.lives import Held, Life, Moment
from autograd_inspect.recording.places import lines_of
from autograd_inspect.recording.sites import Spot
from autograd_inspect.run.files import is_own, relative_to
from autograd_inspect.tracing.frames import Scope
from autograd_inspect.training.naming import variable_holding

#: Tensors that are told of.
_MOST = 5000


class Learners:
    """Describes lives; names are those of the scopes given."""

    def __init__(
        self, describer: Describer, scopes: Sequence[Scope], stepped: Iterable[object]
    ) -> None:
        self._describer = describer
        self._start = describer.start
        self._scopes = scopes
        self._stepped = set(map(id, stepped))
        self._names: dict[int, str] = {}

    def of(self, lives: Iterable[Life]) -> tuple[Learner, ...]:
        """Describe those that something is to be said of."""
        found = [self._learner(life) for life in lives if _is_of_interest(life)]
        return tuple(found[:_MOST])

    def _learner(self, life: Life) -> Learner:
        tensor: Any = life.tensor()
        born, born_at = self._birth(life)
        return Learner(
            name=life.name,
            shape=tuple(tensor.shape) if tensor is not None else (),
            is_parameter=life.made is not None or isinstance(tensor, torch.nn.Parameter),
            is_registered=life.is_registered,
            requires_grad=tensor is None or tensor.requires_grad,
            is_leaf=life.born is None if tensor is None else is_leaf(tensor),
            holders=tuple(map(self._holder, life.held)),
            reached=life.reached,
            arrived=life.arrived,
            made=self._place(life.made),
            built=self._line(life.built),
            made_at=_order(life.made),
            made_after=life.made.backwards if life.made is not None else 0,
            is_copy=life.is_copy,
            in_forward=life.made is not None and life.made.is_in_module,
            frozen=self._place(life.frozen),
            frozen_at=_order(life.frozen),
            thawed=self._place(life.thawed),
            thawed_at=_order(life.thawed),
            used=self._line(life.used),
            taken=self._line(life.taken),
            moved=_is_moved(life),
            grad_read=self._line(life.grad_read),
            missed=self._place(life.missed),
            base=life.base,
            came_after=life.came_after,
            born=born,
            born_at=born_at,
            kept=self._kept(life),
        )

    def _birth(self, life: Life) -> tuple[Place | None, int]:
        """Tell what made a tensor that is no leaf, also of one that is gone."""
        tensor: Any = life.tensor()
        if tensor is None:
            spot, number = life.born or (None, -1)
            return self._line(spot), number
        node = made_by(tensor)
        lines = self._describer.lines_behind(node)
        return lines[0] if lines else None, sequence_of(node) if node is not None else -1

    def _holder(self, held: Held) -> Holder:
        optimizer = held.optimizer()
        name = self._names.get(id(optimizer), "")
        if optimizer is not None and not name:
            name = variable_holding(optimizer, self._scopes) or type(optimizer).__name__
            self._names[id(optimizer)] = name
        given = held.given
        stepped = id(optimizer) in self._stepped or optimizer is None
        return Holder(name or "the optimizer", self._place(given), given.order, stepped)

    def _kept(self, life: Life) -> Kept | None:
        if life.kept is None:
            return None
        cls, attribute, code = life.kept
        place = None
        if code is not None and is_own(code.co_filename):
            file = relative_to(code.co_filename, self._start)
            place = Place(file, code.co_firstlineno, code.co_name)
        return Kept(cls.__name__, attribute, place)

    def _place(self, moment: Moment | None) -> Place | None:
        return self._line(moment.spot) if moment is not None else None

    def _line(self, spot: Spot | None) -> Place | None:
        line = next(lines_of(spot), None) if spot is not None else None
        if line is None:
            return None
        code, _, number = line
        return Place(relative_to(code.co_filename, self._start), number, code.co_name)


def _is_moved(life: Life) -> bool:
    tensor = life.tensor()
    if tensor is None or life.hidden or tensor.is_inference():
        return True
    return version_of(tensor) != life.version


def _order(moment: Moment | None) -> int:
    return moment.order if moment is not None else -1


def _is_of_interest(life: Life) -> bool:
    tensor = life.tensor()
    told = life.held or life.reached or life.frozen or life.grad_read or life.missed
    return bool(told or life.is_registered or isinstance(tensor, torch.nn.Parameter))
