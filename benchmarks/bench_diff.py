"""Two large graphs against each other: what is found, and how long it takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from gpt import GPT
from measure import Row, report

import autograd_inspect
from autograd_inspect import Capture

#: Seconds of CPU: a graph of 100,000 nodes, and one of a million.
BAR, BAR_OF_A_MILLION = 3.0, 10.0
LAYERS = 1600
EDITS = 100


@dataclass(frozen=True, slots=True)
class Case:
    """Two graphs, and what must be found: so many nodes added and removed."""

    what: str
    before: Callable[[], Capture]
    after: Callable[[], Capture]
    found: tuple[int, int]
    bar: float


def gpt(layers: int) -> Capture:
    torch.manual_seed(0)
    model = GPT(width=8, words=16, length=4, layers=layers)
    with autograd_inspect.record():
        loss = model(torch.arange(4).repeat(1, 1)).sum()
    return autograd_inspect.trace(loss, model)


def chain(nodes: int, edits: int) -> Capture:
    """Put operations one after another, in an order by chance, and some of another kind between."""
    rng = random.Random(0)
    steps = [rng.choice([torch.sin, torch.cos, torch.tanh, torch.neg]) for _ in range(nodes)]
    for place in sorted(rng.sample(range(nodes), edits), reverse=True):
        steps.insert(place, torch.erf)
    x = torch.ones(1, requires_grad=True)
    for step in steps:
        x = step(x)
    return autograd_inspect.trace(x.sum())


CASES = (
    Case(
        f"a GPT of {LAYERS:,} layers, and one layer fewer",
        lambda: gpt(LAYERS),
        lambda: gpt(LAYERS - 1),
        (0, 59),
        BAR,
    ),
    Case(
        f"100,000 operations outside of modules, and {EDITS} more among them",
        lambda: chain(100_000, 0),
        lambda: chain(100_000, EDITS),
        (EDITS, 0),
        BAR,
    ),
    Case(
        "a million operations, twice the same",
        lambda: chain(1_000_000, 0),
        lambda: chain(1_000_000, 0),
        (0, 0),
        BAR_OF_A_MILLION,
    ),
    Case(
        "a million operations, and one more among them",
        lambda: chain(1_000_000, 0),
        lambda: chain(1_000_000, 1),
        (1, 0),
        BAR_OF_A_MILLION,
    ),
)


def row_of(case: Case) -> Row:
    before, after = case.before(), case.after()
    start = time.process_time()
    found = autograd_inspect.diff(before, after)
    spent = time.process_time() - start
    counts = found.count("+"), found.count("-")
    nodes = len(before.graph) + len(after.graph)
    return Row(
        case.what,
        f"+{case.found[0]} -{case.found[1]} nodes, < {case.bar:.0f} s CPU",
        f"+{counts[0]} -{counts[1]} nodes, {spent:.2f} s CPU, {1e6 * spent / nodes:.1f} us a node",
        counts == case.found and spent < case.bar,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    report([row_of(case) for case in CASES])
