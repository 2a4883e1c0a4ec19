"""Running one call of a custom Function again, at the point at which the program called it."""

from __future__ import annotations

import contextlib
import inspect
import io
import warnings
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.autograd import Function

from autograd_inspect.autograd.holding import storages_of, tensors_within
from autograd_inspect.autograd.randomness import RandomState
from autograd_inspect.autograd.torch_checks import why_once

Gradients = list[torch.Tensor | None]

#: By how much two computations of the same in single precision may differ.
_SAME = 1e-4


@dataclass(slots=True, eq=False)
class CustomCall:
    """One call of a custom Function, as it was when its forward began.

    arguments, options  tensors among them are copies
    learning            places of the arguments that required grad
    random              where the random numbers stood
    node                number of its node in the captured graph
    twice               whether the backward made a graph of its own, to go through it again
    upstream            the gradients that backward was given, None before it ran
    returned            the gradients that backward gave, one for each tensor among the arguments
    saved               what was saved, as it was when backward began; None where hooks packed it
    """

    function: type[Function]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    learning: tuple[int, ...]
    random: RandomState
    node: int = -1
    twice: bool = False
    upstream: Gradients | None = None
    returned: Gradients | None = None
    saved: Gradients | None = None

    @property
    def name(self) -> str:
        """The name of the Function."""
        return self.function.__name__

    @property
    def parameter_names(self) -> list[str]:
        """Name the arguments as the forward does: `x`, or `values[1]` of `*values`."""
        return _parameter_names(self.function, len(self.arguments))

    def gradients(self) -> Gradients | None:
        """Give what backward gave for the arguments that required grad."""
        if self.returned is None:
            return None
        tensors = [n for n, one in enumerate(self.arguments) if isinstance(one, torch.Tensor)]
        given = dict(zip(tensors, self.returned, strict=False))
        return [given.get(place) for place in self.learning]


@dataclass(slots=True)
class Pullback:
    """What one backward gave, and what else it did.

    gradients  one for each input, None where backward gave none
    shares     names of inputs and outputs whose memory it wrote to
    buffers    names of what it alone had saved and wrote to
    wrote_up   whether it wrote to the gradient it was given
    repeats    whether a second backward on the same graph gives the same; None where not tried
    """

    gradients: Gradients
    shares: list[str] = field(default_factory=list)
    buffers: list[str] = field(default_factory=list)
    wrote_up: bool = False
    repeats: bool | None = None


class Rerun:
    """A call that can be run again, in a precision of choice; None for that of the program.

    places  of the outputs that can have a gradient, known after `outputs`
    """

    places: list[int]

    def __init__(self, call: CustomCall, precision: torch.dtype | None = None) -> None:
        self.call = call
        self._arguments = tuple(_cast(one, precision) for one in call.arguments)
        self._options = {name: _cast(one, precision) for name, one in call.options.items()}
        self.inputs: list[torch.Tensor] = [self._arguments[place] for place in call.learning]
        self.names = [call.parameter_names[place] for place in call.learning]

    def forward(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Compute the outputs that can have a gradient."""
        with torch.no_grad():
            outputs = self._apply(inputs)
        return [outputs[place].detach() for place in self.places]

    def function(self, *inputs: torch.Tensor) -> Any:
        """Compute the outputs that can have a gradient, with their graph."""
        outputs = self._apply(inputs)
        chosen = tuple(outputs[place] for place in self.places)
        return chosen if len(chosen) > 1 else chosen[0]

    def outputs(self) -> list[torch.Tensor]:
        """Run forward once with its graph, and find out which outputs can have a gradient."""
        with torch.enable_grad():
            found = self._apply([_leaf(one) for one in self.inputs])
        self.places = [
            place
            for place, one in enumerate(found)
            if isinstance(one, torch.Tensor) and one.requires_grad
        ]
        return [found[place].detach() for place in self.places]

    def backward(self, upstream: Sequence[torch.Tensor], *, closely: bool = False) -> Pullback:
        """Run forward and backward; `closely` looks at what else backward does, twice."""
        with torch.enable_grad():
            leaves = [_leaf(one) for one in self.inputs]
            arguments = self._filled([one.clone() for one in leaves])
            outputs = self._apply_to(arguments)
            chosen = [outputs[place] for place in self.places]
        if not closely:
            return Pullback(_pull(chosen, leaves, upstream))
        node = self._node(outputs)
        saved = saved_of(node) or []
        stashed = [one for _, one in tensors_within(vars(node), levels=2)] if node else []
        kept = [*(one for one in saved if one is not None), *stashed]
        before, given = [one.clone() for one in kept], [one.clone() for one in upstream]
        found = Pullback(_pull(chosen, leaves, given))
        found.wrote_up = not all(map(same_values, given, upstream))
        owners = self._owners(arguments, outputs)
        for one, was in zip(kept, before, strict=True):
            if not same_values(one, was):
                names = [owners[key] for key, _ in storages_of(one) if key in owners]
                target = found.shares if names else found.buffers
                target += [name for name in names or ["a buffer"] if name not in target]
        again = _pull(chosen, leaves, [one.clone() for one in upstream])
        found.repeats = all(map(alike, again, found.gradients))
        return found

    def elsewhere(self) -> Iterator[Rerun]:
        """Give this call at other points, each with other numbers in one of its arguments."""
        for place, one in enumerate(self._arguments):
            if isinstance(one, torch.Tensor) and one.is_floating_point():
                other, moved = copy(self), list(self._arguments)
                moved[place] = one.detach() * 1.5 + 0.25
                other._arguments = tuple(moved)
                other.inputs = [moved[number] for number in self.call.learning]
                yield other

    def why_once(self, upstream: Sequence[torch.Tensor]) -> str:
        """Say why the gradient cannot be differentiated again; empty where it can."""
        with torch.enable_grad():
            leaves = [_leaf(one) for one in self.inputs]
            outputs = self._apply(leaves)
            chosen = [outputs[place] for place in self.places]
            vs = [one.clone().requires_grad_() for one in upstream]
            found = torch.autograd.grad(chosen, leaves, vs, create_graph=True, allow_unused=True)
        return why_once(found)

    def overwritten(self) -> list[str]:
        """Name what forward saves that was another when the program's backward began."""
        if self.call.saved is None:
            return []
        with torch.enable_grad():
            arguments = self._filled([_leaf(one).clone() for one in self.inputs])
            outputs = self._apply_to(arguments)
        saved = saved_of(self._node(outputs)) or []
        if len(saved) != len(self.call.saved):
            return []
        owners = self._owners(arguments, outputs)
        changed = [
            (now, f"saved tensor {number}")
            for number, (now, then) in enumerate(zip(saved, self.call.saved, strict=True))
            if now is not None and not alike(then, now)
        ]
        return [owners.get(storages_of(now)[0][0], name) for now, name in changed]

    def _node(self, outputs: Sequence[Any]) -> Any:
        chosen = [outputs[place] for place in self.places]
        return next((one.grad_fn for one in chosen if _is_of(one, self.call.function)), None)

    def _apply(self, inputs: Sequence[torch.Tensor]) -> list[Any]:
        # Copies: a forward may work in place, which a leaf would refuse.
        return self._apply_to(self._filled([one.clone() for one in inputs]))

    def _apply_to(self, arguments: list[Any]) -> list[Any]:
        self.call.random.restore()
        result: Any = self.call.function.apply(*arguments, **self._options)  # type: ignore[no-untyped-call]
        return list(result) if isinstance(result, tuple) else [result]

    def _filled(self, inputs: Sequence[torch.Tensor]) -> list[Any]:
        arguments = [
            one.clone() if isinstance(one, torch.Tensor) else one for one in self._arguments
        ]
        for place, one in zip(self.call.learning, inputs, strict=True):
            arguments[place] = one
        return arguments

    def _owners(self, arguments: Sequence[Any], outputs: Sequence[Any]) -> dict[int, str]:
        """Name the memory of inputs and outputs, by the address of the storage."""
        names = [*self.call.parameter_names, *(f"output {n}" for n in range(len(outputs)))]
        if len(outputs) == 1:
            names[-1] = "the output"
        return {
            key: name
            for name, one in reversed([*zip(names, [*arguments, *outputs], strict=True)])
            if isinstance(one, torch.Tensor)
            for key, _ in storages_of(one)
        }


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Run what belongs to the program once more without a trace: no output, no random number."""
    random = RandomState.now()
    silence = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(silence),
            contextlib.redirect_stderr(silence),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.restore()


def saved_of(node: Any) -> Gradients | None:
    """Give what a custom Function saved, without running anybody's unpack hooks; None if packed."""
    try:
        raw = node._raw_saved_tensors
        if any(one.unpack_hook is not None for one in raw):
            return None
        return [one.data for one in raw]
    except (AttributeError, RuntimeError):  # an older torch, or freed
        return None


def same_values(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Tell whether two tensors hold the same, NaN equal to itself."""
    return one.shape == other.shape and bool(
        torch.equal(one, other)
        or (one.is_floating_point() and torch.allclose(one, other, 0, 0, equal_nan=True))
    )


def alike(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    """Tell whether two gradients are the same but for the order of sums."""
    if one is None or other is None:
        present = other if one is None else one
        return present is None or not bool(present.abs().max() if present.numel() else 0)
    if one.shape != other.shape or not one.numel():
        return one.shape == other.shape
    sizes = (torch.nan_to_num(each.abs(), 0, 0, 0).max().item() for each in (one, other))
    scale = max(sizes)
    return bool(torch.allclose(one, other.to(one.dtype), _SAME, _SAME * scale, equal_nan=True))


def _pull(
    outputs: Sequence[torch.Tensor],
    leaves: Sequence[torch.Tensor],
    upstream: Sequence[torch.Tensor],
) -> Gradients:
    found: Sequence[torch.Tensor | None] = torch.autograd.grad(
        outputs, leaves, upstream, retain_graph=True, allow_unused=True
    )
    # Copies: a backward may hand out memory that the next one writes to.
    return [one if one is None else one.detach().clone() for one in found]


def _leaf(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone().requires_grad_()


def _is_of(output: torch.Tensor, function: type[Function]) -> bool:
    return getattr(type(output.grad_fn), "_forward_cls", None) is function


def _cast(value: Any, precision: torch.dtype | None) -> Any:
    """Bring tensors of numbers to a precision, those in lists and tuples too."""
    if isinstance(value, torch.Tensor):
        if precision is None or not (value.is_floating_point() or value.is_complex()):
            return value
        return value.to(precision.to_complex() if value.is_complex() else precision)
    if type(value) in {list, tuple}:
        return type(value)(_cast(one, precision) for one in value)
    return value


def _parameter_names(function: type[Function], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(function.forward).parameters.values())
    except (TypeError, ValueError):
        return [f"input {place}" for place in range(count)]
    own_context = function.setup_context is not Function.setup_context
    names: list[str] = []
    for one in parameters if own_context else parameters[1:]:
        if one.kind is one.VAR_POSITIONAL:
            names += [f"{one.name}[{place}]" for place in range(count - len(names))]
        elif one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD}:
            names.append(one.name)
    return [*names, *(f"input {place}" for place in range(len(names), count))][:count]
