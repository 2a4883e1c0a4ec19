"""Where finite gradients become NaN or infinite: the element, and the saved values that explain it.

Read in the hook of the very node: its saved tensors are freed as soon as backward goes on. Those of
nodes further towards the leaves are still there, which tells where the forward went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.autograd.function import BackwardCFunction

from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS, GraphNode
from autograd_inspect.autograd.details import dense, describe_class
from autograd_inspect.autograd.results import is_result
from autograd_inspect.model.probes import Birth, Operand

#: Nodes that are asked where a value that is not finite came from.
_MOST_STEPS = 1000
#: Functions that are infinite, or not defined, just where their derivative is.
_WITH_POLES = frozenset(
    [
        "Atanh",
        "Div",
        "Lgamma",
        "Log",
        "Log10",
        "Log1p",
        "Log2",
        "Logit",
        "Reciprocal",
        "Rsqrt",
        "Tan",
    ]
)
#: Saved tensors in which equal neighbours make a derivative infinite.
_SPECTRA = {"L", "S", "eigenvalues"}

Index = tuple[int, ...]


def birth_at(
    place: tuple[int, int],
    node: GraphNode,
    sent: torch.Tensor,
    arrived: Sequence[torch.Tensor | None],
    number_of: Mapping[GraphNode, int],
) -> Birth:
    """Explain a gradient that is not finite.

    `place` is the number of the node and of the edge; `sent` what it sends along that edge,
    before it is summed over what was broadcast; `number_of` gives the numbers of all nodes.
    """
    sent = dense(sent)
    index = first_index(~torch.isfinite(sent))
    saved = list(saved_tensors(node))
    beside = [
        _value_at(one, index) for one in arrived if one is not None and one.shape == sent.shape
    ]
    culprit = suspect(node) is not None
    return Birth(
        *place,
        index=index,
        value=written(sent[index]),
        arrived=next(filter(None, beside), ""),
        operands=tuple(operand_at(name, tensor, index) for name, tensor in saved),
        source=_source(node, number_of) if culprit else -1,
    )


def saved_tensors(node: GraphNode) -> Iterator[tuple[str, torch.Tensor]]:
    """Give the tensors that a node holds, with their names; those packed by hooks are left out."""
    if not SHOWS_SAVED_TENSORS:
        return
    is_function = isinstance(node, BackwardCFunction)
    for name in ("tensors",) if is_function else describe_class(node).saved:
        try:
            raw = getattr(node, f"_raw_saved_{name}")
        except (AttributeError, RuntimeError):  # freed
            continue
        several = raw if isinstance(raw, tuple) else (raw,)
        for place, one in enumerate(several):
            if one.unpack_hook is None and isinstance(one.data, torch.Tensor):
                numbered = f"{'saved_tensors' if is_function else name}[{place}]"
                yield numbered if several is raw else name, one.data


def suspect(node: GraphNode) -> torch.Tensor | None:
    """Give the first tensor a node saved that is not finite itself; None where all are."""
    found = (tensor for _, tensor in saved_tensors(node) if not all_finite(tensor))
    return next(found, None)


def operand_at(name: str, tensor: torch.Tensor, index: Index) -> Operand:
    """Describe a tensor, and the element of it that an operation combines with that at `index`."""
    tensor = dense(tensor)
    own = _belonging(index, tuple(tensor.shape))
    value = "" if own is None else written(tensor[own])
    return Operand(name, own, value, _remark(name, tensor))


def _remark(name: str, tensor: torch.Tensor) -> str:
    """Say what stands out in a tensor: elements at which derivatives are apt to be infinite."""
    if not tensor.numel():
        return "empty"
    counts = {
        "NaN": int(torch.isnan(tensor).sum()),
        "infinite": int(torch.isinf(tensor).sum()),
        "zero": tensor.numel() - int(torch.count_nonzero(tensor)),
    }
    found = [f"{count:,} {what}" for what, count in counts.items() if count]
    if name in _SPECTRA and tensor.dim() and _has_equal_neighbours(tensor):
        found.append("equal values")
    return f"of {tensor.numel():,} elements {', '.join(found)}" if found else ""


def _has_equal_neighbours(values: torch.Tensor) -> bool:
    sorted_values = values.abs().sort(dim=-1).values
    gaps = sorted_values.diff(dim=-1)
    return bool((gaps <= sorted_values[..., 1:] * torch.finfo(gaps.dtype).eps).any())


def _source(node: GraphNode, number_of: Mapping[GraphNode, int]) -> int:
    """Find the node whose forward first gave something that is not finite, towards the leaves.

    The way there leads past nodes that do not tell what they were given: sums and views save
    nothing, a product only what its derivatives need.
    """
    found, ahead, seen = [node, *_givers(node)], [node], {node}
    while ahead and len(seen) < _MOST_STEPS:
        for following, _ in ahead.pop().next_functions:
            if following is None or following in seen:
                continue
            seen.add(following)
            givers = list(_givers(following))
            if givers or _is_at_pole(following):
                found += givers or [following]
            elif _shows_all(following):
                continue
            ahead.append(following)
    return number_of.get(min(found, key=_sequence), -1)


def _sequence(node: GraphNode) -> int:
    number: int = node._sequence_nr()
    return number


def _givers(node: GraphNode) -> Iterator[GraphNode]:
    """Give the nodes that gave what a node saved, where that is not finite."""
    op = describe_class(node).op
    for name, tensor in saved_tensors(node):
        if not all_finite(tensor):
            yield node if is_result(op, name) or tensor.grad_fn is None else tensor.grad_fn


def _shows_all(node: GraphNode) -> bool:
    """Tell whether what a node saved includes its result, or the only input it has."""
    op, saved = describe_class(node).op, [name for name, _ in saved_tensors(node)]
    return any(is_result(op, name) for name in saved) or (
        bool(saved) and len(node.next_functions) == 1
    )


def _is_at_pole(node: GraphNode) -> bool:
    """Tell whether an operation whose inputs are finite gave infinity or NaN all the same.

    Its result is not saved; but where such a function has a pole, its derivative has one, too. A
    mean over nothing has no such derivative, and shows by its divisor.
    """
    op = describe_class(node).op.partition("Backward")[0]
    if op.startswith("NllLoss"):
        divisors = (tensor for name, tensor in saved_tensors(node) if name == "total_weight")
        return any(not tensor.any() for tensor in divisors)
    if op not in _WITH_POLES:
        return False
    output = node._input_metadata[0]
    sent = node(torch.ones(tuple(output.shape), dtype=output.dtype, device=output.device))
    sent = sent if isinstance(sent, tuple) else (sent,)
    return not all_finite(*sent)


def all_finite(*tensors: torch.Tensor | None) -> bool:
    """Tell whether no element of any of these is NaN or infinite."""
    return all(bool(torch.isfinite(dense(one)).all()) for one in tensors if one is not None)


def first_index(mask: torch.Tensor) -> Index:
    """Give the index of the first element that is true."""
    flat = int(mask.flatten().to(torch.uint8).argmax())
    index: list[int] = []
    for size in reversed(mask.shape):
        flat, place = divmod(flat, size)
        index.insert(0, place)
    return tuple(index)


def _belonging(index: Index, shape: Index) -> Index | None:
    """Give the element of a tensor that an operation combines with the one at `index`.

    That is by the rules of broadcasting: from the right, and a size of 1 stands for every place.
    """
    if len(shape) > len(index):
        return None
    near = index[len(index) - len(shape) :]
    own = tuple(0 if size == 1 else place for size, place in zip(shape, near, strict=True))
    return own if all(place < size for place, size in zip(own, shape, strict=True)) else None


def _value_at(tensor: torch.Tensor, index: Index) -> str:
    return written(dense(tensor)[index])


def written(element: torch.Tensor) -> str:
    """Write an element of a tensor as text."""
    value: Any = element.item()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
