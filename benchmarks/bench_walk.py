"""The walk, held against a bare loop over `next_functions` in the same process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields

import torch
from graphs import SHAPES
from measure import Row, clock, memory, own_part, peak_reset, ratio, report, take_turns

from autograd_inspect.autograd.structure import release_safely, walk_structure
from autograd_inspect.autograd.walker import walk
from autograd_inspect.model.graph import Graph

STRUCTURE_BAR, FULL_BAR = 2.0, 6.0


def bare_loop(root: torch.Tensor) -> int:
    """Visit every node once, and keep nothing but which were seen."""
    seen = {root.grad_fn}
    waiting = [root.grad_fn]
    while waiting:
        for following, _ in waiting.pop().next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return len(seen)


def structure_and_names(root: torch.Tensor) -> object:
    structure = walk_structure([root.grad_fn])
    return structure, [type(node).__name__ for node in structure.nodes]


SIDES: dict[str, Callable[[torch.Tensor], object]] = {
    "bare": bare_loop,
    "structure": structure_and_names,
    "unsaved": lambda root: walk([root], saved=False),
    "full": lambda root: walk([root]),
}


def on_fresh_graph(shape: str, nodes: int, work: Callable[[torch.Tensor], object]) -> float:
    """Clock one look at a graph that Python has not touched: the first touch makes the wrappers."""
    root = SHAPES[shape](nodes)
    spent = clock(lambda: work(root))
    release_safely(walk_structure([root.grad_fn]))
    return spent


def time_rows() -> Iterator[Row]:
    for nodes, rounds, shapes in ((10_000, 9, SHAPES), (100_000, 3, ("gpt", "lstm"))):
        for shape in shapes:
            sides = {
                name: lambda work=work, shape=shape, nodes=nodes: on_fresh_graph(shape, nodes, work)
                for name, work in SIDES.items()
            }
            turns = take_turns(sides, rounds)
            structure = ratio(turns, "structure", "bare")
            full, unsaved = (ratio(turns, side, "bare") for side in ("full", "unsaved"))
            what = f"{shape}, {nodes:,} nodes"
            yield Row(
                f"structure and names, {what}",
                f"<= {STRUCTURE_BAR:.0f}x bare loop",
                f"{structure:.2f}x",
                structure <= STRUCTURE_BAR,
            )
            yield Row(
                f"full walk, {what}",
                f"<= {FULL_BAR:.0f}x bare loop",
                f"{full:.1f}x ({ratio(turns, 'full', 'structure'):.1f}x the structure walk; "
                f"{unsaved:.1f}x bare without saved tensors)",
                full <= FULL_BAR,
            )


def memory_rows() -> Iterator[Row]:
    for shape in ("gpt", "lstm"):
        used = {side: own_part("bench_walk.py", "--memory", side, shape).facts for side in SIDES}
        nodes = used["full"]["nodes"]
        measured = f"{used['full']['columns'] / nodes:.0f} bytes of columns per node"
        if used["full"]["extra"] is not None:
            extra = {side: facts["extra"] / nodes for side, facts in used.items()}
            measured += (
                f"; peak extra RSS per node {extra['full']:,.0f} bytes "
                f"(structure {extra['structure']:,.0f}, bare loop {extra['bare']:,.0f})"
            )
        yield Row(f"memory of the full walk, {shape}, {nodes:,} nodes", "stated", measured)


def column_bytes(graph: Graph) -> int:
    tables = [getattr(graph, field.name) for field in fields(graph) if field.name[-5:] == "table"]
    return sum(getattr(table, field.name).nbytes for table in tables for field in fields(table))


def measure_memory(side: str, shape: str) -> None:
    """Print what one walk adds to this process at its highest; run in a process of its own."""
    root = SHAPES[shape](200_000)
    can_tell = peak_reset()
    before = memory("VmRSS") if can_tell else 0
    result = SIDES[side](root)
    extra = memory("VmHWM") - before if can_tell else None
    walked = result if side == "full" else walk([root])
    columns = column_bytes(walked.graph)
    print(json.dumps({"extra": extra, "columns": columns, "nodes": len(walked.graph)}))


def rows() -> list[Row]:
    torch.set_num_threads(1)
    return [*time_rows(), *memory_rows()]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        measure_memory(*sys.argv[2:])
    else:
        report(rows())
