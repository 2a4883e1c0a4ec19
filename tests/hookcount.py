"""What is held for backward, counted by pack hooks: nothing of ours takes part in it.

`python tests/hookcount.py SCRIPT...` runs each script up to its first backward call and prints the
count of the graph that this call starts at, as JSON; without such a call, of the graph of the
tensor that was computed last among the script's variables.

Hooks and nodes do not see quite the same. Torch passes a number that became a tensor (`x * 2.0`)
to no hook, and a tensor on a custom Function's context neither; the first are found here by a walk
of its own. What a node that writes to a view in place keeps is seen by hooks, but by no node.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Count:
    """Saved tensors, the storages they lie in, and the bytes of these, each storage once.

    numbers  how many of the tensors are numbers that no hook was given
    packed   saved tensors that hooks of the program packed, which are not among the others
    """

    tensors: int
    storages: int
    bytes: int
    numbers: int = 0
    packed: int = 0


class Token:
    """Stands for a tensor that was saved; holds its storages, and no node."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.storages = storages(tensor)
        self.tensor = tensor.detach()


def storages(tensor: torch.Tensor) -> list[torch.UntypedStorage]:
    if tensor.layout is torch.sparse_coo:
        return [part.untyped_storage() for part in (tensor._indices(), tensor._values())]
    return [tensor.untyped_storage()]


@contextmanager
def counting() -> Iterator[weakref.WeakSet[Token]]:
    """Collect a token for each tensor saved meanwhile; it lives as long as the node that saved."""
    tokens: weakref.WeakSet[Token] = weakref.WeakSet()

    def pack(tensor: torch.Tensor) -> Token:
        token = Token(tensor)
        tokens.add(token)
        return token

    def unpack(token: Token) -> torch.Tensor:
        return token.tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield tokens


def count_alive(make_root: Callable[[], torch.Tensor]) -> Count:
    """Count what the graph of a root keeps alive while nothing but the root is held."""
    with counting() as tokens:
        root = make_root()
    gc.collect()
    alive = list(tokens)
    numbers, packed = unhooked([root.grad_fn])
    return summed([*alive, *numbers], numbers=len(numbers), packed=packed - len(alive))


def summed(tokens: list[Token], *, numbers: int = 0, packed: int = 0) -> Count:
    sizes = {one._cdata: one.nbytes() for token in tokens for one in token.storages}
    return Count(
        tensors=sum(len(token.storages) for token in tokens),
        storages=len(sizes),
        bytes=sum(sizes.values()),
        numbers=numbers,
        packed=packed,
    )


def raw_saved(roots: list[object]) -> Iterator[object]:
    """Give every SavedTensor of the nodes that the roots lead to."""
    seen, waiting = set(roots), list(roots)
    while waiting:
        node = waiting.pop()
        for name in dir(node):
            if name.startswith("_raw_saved"):
                raw = getattr(node, name)
                yield from raw if isinstance(raw, tuple) else (raw,)
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)


def unhooked(roots: list[object]) -> tuple[list[Token], int]:
    """Find the saved tensors that no hook was given, and count those that one was."""
    found = list(raw_saved(roots))
    free = [raw.data for raw in found if raw.unpack_hook is None and raw.data is not None]
    assert all(tensor.dim() == 0 for tensor in free), "only numbers are kept from hooks"
    return [Token(one) for one in free], sum(raw.unpack_hook is not None for raw in found)


def count_reached(starts: list[object]) -> Count:
    """Count what the nodes keep that these lead to."""
    tokens = [raw.data for raw in raw_saved(starts) if isinstance(raw.data, Token)]
    numbers, packed = unhooked(starts)
    return summed([*tokens, *numbers], numbers=len(numbers), packed=packed - len(tokens))


class Reached(SystemExit):
    """The backward call at which a script is counted; holds on to the graph by its traceback."""

    def __init__(self, roots: tuple[torch.Tensor, ...]) -> None:
        nodes = [root.grad_fn if isinstance(root, torch.Tensor) else root.node for root in roots]
        self.count = count_reached(nodes)


def count_of_script(script: str) -> tuple[Count, object]:
    """Count at the first backward call of a script, else at its end; and give what to keep alive.

    A deep graph that was walked cannot be freed without a crash.
    """
    sys.argv = [script]
    with counting():
        try:
            variables = runpy.run_path(script, run_name="__main__")
        except Reached as reached:
            return reached.count, reached
    nodes = [one.grad_fn for one in variables.values() if isinstance(one, torch.Tensor)]
    made = [node for node in nodes if node is not None]
    latest = [max(made, key=lambda node: node._sequence_nr())] if made else []
    return count_reached(latest), variables


def main() -> None:
    """Print the count of each script in a line of JSON."""

    def run_backward(roots: tuple[torch.Tensor, ...], *_: object, **__: object) -> None:
        raise Reached(roots)

    torch.autograd.graph._engine_run_backward = run_backward
    torch.autograd._engine_run_backward = run_backward
    out = os.dup(1)
    os.dup2(2, 1)  # what the scripts print is not ours
    kept = []
    for script in sys.argv[1:]:
        count, alive = count_of_script(script)
        kept.append(alive)
        os.write(out, f"{json.dumps(vars(count))}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    main()
