"""From a capture to the lines that a terminal shows of its graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.outline import Gap, Outline, Why
from autograd_inspect.model.tables import Bools
from autograd_inspect.passes.absorb import absorb_leaves, absorb_nothing, absorb_views
from autograd_inspect.passes.draft import Draft
from autograd_inspect.passes.repeats import Fold, Item, after, first_row, fold_repeats

#: Of the lines that fit, the share given to the end at the roots when the middle is cut out.
_HEAD_SHARE = 2 / 3


def outline(capture: Capture, *, rows: int | None = None, depth: int | None = None) -> Outline:
    """Outline a graph in at most `rows` lines; None shows every node in a line of its own.

    Shortens step by step and stops as soon as it fits: leaves go into the row of their operation,
    then repeats are folded to one instance, then views go as the leaves did, and at last the middle
    is cut out. `depth` leaves out what is more than that many edges away from every root. Nodes
    without a line are counted in gaps.
    """
    graph = capture.graph
    hidden = beyond(graph, depth)
    spared = 1 if hidden.any() else 0
    if rows is None or len(graph) - np.count_nonzero(hidden) + spared <= rows:
        return _assemble(capture, Draft(graph, absorb_nothing(graph), hidden))
    room = max(rows - spared, 1)
    draft = Draft(graph, absorb_leaves(graph), hidden)
    lines = _folded(draft, room)
    if len(lines) > room:
        draft = Draft(graph, absorb_views(graph), hidden)
        lines = _cut(_folded(draft, room), room, draft)
    return _assemble(capture, draft, lines)


def beyond(graph: Graph, depth: int | None) -> Bools:
    """Mark the nodes more than `depth` edges away from every root."""
    if depth is None or depth >= graph.depth - 1:
        return np.zeros(len(graph), np.bool_)
    start, target = graph.edge_table.start, graph.edge_table.target
    reached = np.zeros(len(graph), np.bool_)
    frontier = np.unique(graph.root_table.node)
    reached[frontier] = True
    for _ in range(depth):
        count = start[frontier + 1] - start[frontier]
        before = np.cumsum(count) - count
        edges = np.repeat(start[frontier] - before, count) + np.arange(count.sum())
        inputs = np.unique(target[edges])
        frontier = inputs[(inputs >= 0) & ~reached[inputs]]
        if not len(frontier):
            break
        reached[frontier] = True
    return ~reached


def _folded(draft: Draft, room: int) -> list[int | Gap]:
    """Give the lines of a draft, repeats folded if they do not fit as they are."""
    if len(draft) <= room:
        return list(range(len(draft)))
    items = fold_repeats(draft.looks(), draft.good_starts(), budget=room)
    return list(_written_out(items, draft))


def _written_out(items: Iterable[Item], draft: Draft) -> Iterator[int | Gap]:
    """Write folds out: the lines of one instance, then the line that says how often it comes."""
    for item in items:
        if not isinstance(item, Fold):
            yield item
            continue
        yield from _written_out(item.items, draft)
        first, shown_until = first_row(item), after(item.items[-1])
        yield Gap(
            Why.REPEATED,
            int(draft.order.indent[first]),
            rows=item.stop - shown_until,
            nodes=draft.nodes_between(shown_until, item.stop),
            span=shown_until - first,
            times=item.times,
        )


def _cut(lines: list[int | Gap], room: int, draft: Draft) -> list[int | Gap]:
    """Keep the head, the tail, and of what is between them the line that says most."""
    if len(lines) <= room:
        return lines
    tail = int((room - 1) * (1 - _HEAD_SHARE))
    head = room - 1 - tail
    middle = range(head, len(lines) - tail)
    repeat = max(middle, key=lambda at: _repeated_nodes(lines[at]))
    if not _repeated_nodes(lines[repeat]) or head < 3:
        return [*lines[:head], _hidden(lines[middle.start : middle.stop], draft), *lines[middle.stop :]]
    head -= 2
    before, behind = lines[head:repeat], lines[repeat + 1 : middle.stop]
    cuts = [part if len(part) <= 1 else [_hidden(part, draft)] for part in (before, behind)]
    return [*lines[:head], *cuts[0], lines[repeat], *cuts[1], *lines[middle.stop :]]


def _repeated_nodes(line: int | Gap) -> int:
    return line.nodes if isinstance(line, Gap) else 0


def _hidden(lines: list[int | Gap], draft: Draft) -> Gap:
    """Count what lines stand for."""
    rows, nodes = 0, 0
    for line in lines:
        rows += line.rows if isinstance(line, Gap) else 1
        nodes += line.nodes if isinstance(line, Gap) else int(draft.weight[line])
    return Gap(Why.CUT, 0, rows=rows, nodes=nodes)


def _assemble(capture: Capture, draft: Draft, lines: list[int | Gap] | None = None) -> Outline:
    """Put the lines together; None takes every row."""
    if lines is None:
        gaps: dict[int, Gap] = {}
        rows = np.arange(len(draft))
    else:
        gaps = {at: line for at, line in enumerate(lines) if isinstance(line, Gap)}
        rows = np.array([-1 if isinstance(line, Gap) else line for line in lines], np.int64)
    deeper = len(capture.graph) - draft.nodes_between(0, len(draft))
    if deeper:
        gaps[len(rows)] = Gap(Why.DEEPER, 0, rows=deeper, nodes=deeper)
        rows = np.append(rows, -1)
    order, is_gap = draft.order, rows < 0
    return Outline(
        capture=capture,
        reading=draft.reading(),
        node=np.where(is_gap, -1, order.node[rows]).astype(np.int32),
        indent=np.where(is_gap, 0, order.indent[rows]).astype(np.int32),
        opens=~is_gap & order.opens[rows],
        gaps=gaps,
    )
