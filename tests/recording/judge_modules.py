"""Runs a program and writes down which module call made each node, without looking at a frame.

`python judge_modules.py PROGRAM OUT`: `nn.Module.__call__` is replaced by one that notes autograd's
sequence number before and after the call. A node was made in the shortest call that its number lies
in. Sequence numbers are counted per thread; threads other than the main one are left out.
"""

import json
import runpy
import sys
import threading
from pathlib import Path

import torch
from torch import nn

NOT_COUNTED = 2**64 - 1  # the number of every AccumulateGrad
calls = []  # of the main thread: [module, number of its caller, first sequence number, last]
running = []
call_module = nn.Module.__call__


def call(self, *arguments, **options):
    if threading.current_thread() is not threading.main_thread():
        return call_module(self, *arguments, **options)
    calls.append([self, running[-1] if running else -1, sequence_number(), None])
    running.append(len(calls) - 1)
    try:
        return call_module(self, *arguments, **options)
    finally:
        calls[running.pop()][3] = sequence_number()


def sequence_number():
    return torch.autograd._get_sequence_nr()


def nodes_below(root):
    nodes, known = [root], {root}
    for node in nodes:
        for following, _ in node.next_functions:
            if following is not None and following not in known:
                known.add(following)
                nodes.append(following)
    return nodes


def call_of(node):
    """Find the innermost call that a node was made in: the last of those that contain it."""
    number = node._sequence_nr()
    around = [at for at, (_, _, first, last) in enumerate(calls) if first <= number < last]
    return around[-1] if around and number != NOT_COUNTED else -1


def path_of(at, models):
    """Name the module of a call: owner and path, below the caller's if there are several ways."""
    module, parent, _, _ = calls[at]
    ways = [
        (owner, path)
        for owner, model in models.items()
        for path, part in model.named_modules(remove_duplicate=False)
        if part is module
    ]
    if parent >= 0:
        owner, outer = path_of(parent, models)
        inside = f"{outer}." if outer else ""
        ways = [way for way in ways if way[0] == owner and way[1].startswith(inside)] or ways
    return ways[0]


def numbers(found, models):
    """Count the calls by path, of which, or of calls within which, a node is in the graph."""
    counted = set()
    for innermost in found:
        at = innermost
        while at >= 0:
            counted.add(at)
            at = calls[at][1]
    number, seen = {}, {}
    for at in sorted(counted):
        path = path_of(at, models)
        number[at] = seen[path] = seen.get(path, 0) + 1
    return number


def describe(at, models, number):
    """Tell a call and those around it, innermost first: owner, path, class and number of each."""
    told = []
    while at >= 0:
        module = calls[at][0]
        told.append([*path_of(at, models), type(module).__name__, number[at]])
        at = calls[at][1]
    return told


if __name__ == "__main__":
    program, out = sys.argv[1:]
    program = Path(program).resolve()
    sys.path[0] = str(program.parent)
    nn.Module.__call__ = call
    space = runpy.run_path(str(program), run_name="__main__")
    models = {name: value for name, value in space.items() if isinstance(value, nn.Module)}
    graphs = {name: nodes_below(loss.grad_fn) for name, loss in space["losses"].items()}
    number = numbers({call_of(node) for nodes in graphs.values() for node in nodes} - {-1}, models)
    told = {
        name: [(type(node).__name__, describe(call_of(node), models, number)) for node in nodes]
        for name, nodes in graphs.items()
    }
    Path(out).write_text(json.dumps(told))
