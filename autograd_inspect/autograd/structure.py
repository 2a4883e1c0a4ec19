"""The bare graph: which nodes there are, and which leads to which.

Breadth first from the roots, with a list that grows while it is read: no recursion at any depth,
each node once however many paths lead to it, and the same order in every run, because the order of
`next_functions` is the order of the forward operation's inputs.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from autograd_inspect.autograd._torch import GraphNode

#: Bytes of C stack that freeing one node takes, rounded up from the 200 measured.
_STACK_PER_NODE = 256
_ASSUMED_STACK = 8 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Nodes in walking order and their outgoing edges, as in `EdgeTable`.

    The nodes themselves are the keys: before torch 2.13 a wrapper could die and its id be used
    again while the node lived on.
    """

    nodes: list[GraphNode]
    index: dict[GraphNode, int]
    start: list[int]
    target: list[int]
    output: list[int]


def walk_structure(roots: Iterable[GraphNode]) -> Structure:
    """Collect every node that the roots lead to."""
    nodes = list(dict.fromkeys(roots))
    index: dict[GraphNode | None, int] = {node: number for number, node in enumerate(nodes)}
    index[None] = -1  # an undefined edge is looked up like any other
    start: list[int] = [0]
    target: list[int] = []
    output: list[int] = []
    number_of, found = index.get, nodes.append
    add_target, add_output, close = target.append, output.append, start.append
    for node in nodes:
        for following, which in node.next_functions:
            number = number_of(following)
            if number is None:
                number = index[following] = len(nodes)
                found(following)
            add_target(number)
            add_output(which)
        close(len(target))
    del index[None]
    return Structure(nodes, index, start, target, output)


def longest_paths(structure: Structure) -> list[int]:
    """Count the edges on the longest path from a root to each node (Kahn's order, linear time)."""
    start, target = structure.start, structure.target
    waiting = [0] * len(structure.nodes)
    for number in target:
        if number >= 0:
            waiting[number] += 1
    depth = [0] * len(waiting)
    ready = [number for number, users in enumerate(waiting) if not users]
    for node in ready:
        below = depth[node] + 1
        for following in target[start[node] : start[node + 1]]:
            if following >= 0:
                if depth[following] < below:  # noqa: PLR1730 - max() doubles the loop's time
                    depth[following] = below
                waiting[following] -= 1
                if not waiting[following]:
                    ready.append(following)
    return depth


def leads_to(roots: Iterable[GraphNode], wanted: Iterable[GraphNode]) -> bool:
    """Tell whether any wanted node can be reached from the roots, the roots included."""
    structure = walk_structure(roots)
    found = any(node in structure.index for node in wanted)
    release_safely(structure)
    return found


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cyclic collector from scanning the columns again and again while they grow.

    Measured at 100,000 nodes: half of the walk's time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def release_safely(structure: Structure) -> None:
    """Let go of a walked graph so that freeing it later cannot overflow the C stack.

    Since torch 2.13 a node that Python has touched owns its wrapper, and a chain of such nodes is
    freed by recursion, about 200 bytes of stack for each: 40,000 in a row end a process that has
    the usual 8 MB. The main thread's stack can be allowed to grow; where that is not possible the
    nodes are made immortal, which costs their memory and saves the process.
    """
    if len(structure.nodes) * _STACK_PER_NODE < _ASSUMED_STACK // 4:
        return  # cannot be deep
    needed = (max(longest_paths(structure)) + 1) * _STACK_PER_NODE
    if needed > _ASSUMED_STACK // 4 and not _allow_stack(needed):
        # One reference too many, never given back.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(structure.nodes))


def _allow_stack(needed: int) -> bool:
    """Raise the limit of the main thread's stack to what is needed and as much again."""
    if threading.current_thread() is not threading.main_thread() or sys.platform != "linux":
        return False  # elsewhere a stack is as large as it was when its thread began
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = 2 * needed + _ASSUMED_STACK
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return True
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return False
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    return True
