"""From a capture to the lines that a terminal shows of its graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.outline import Gap, Outline, Why
from autograd_inspect.model.tables import Bools, Longs
from autograd_inspect.passes.absorb import absorb_leaves, absorb_nothing, absorb_views
from autograd_inspect.passes.draft import Draft
from autograd_inspect.passes.likeness import calls_of_repeats
from autograd_inspect.passes.repeats import Folding

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
        return _assemble(capture, _Lines(Draft(graph, absorb_nothing(graph), hidden)))
    room = max(rows - spared, 1)
    absorbed = absorb_leaves(graph)
    lines = _folded(Draft(graph, absorbed, hidden), room)
    more = absorb_views(graph)
    if len(lines) > room and not np.array_equal(more.view, absorbed.view):
        lines = _folded(Draft(graph, more, hidden), room)
    return _assemble(capture, _cut(lines, room))


@dataclass(frozen=True, slots=True)
class _Repeat(Gap):
    """A gap that knows the row its first instance begins at."""

    first: int = 0

    def told(self, draft: Draft) -> Gap:
        """Give the gap as readers see it, with what sets its instances apart."""
        stop = self.first + self.span * (self.times + 1)
        calls = calls_of_repeats(draft.graph, draft.repeats(self.first, self.span, stop))
        return Gap(self.why, self.indent, self.rows, self.nodes, self.span, self.times, calls)


class _Lines:
    """Rows of a draft and gaps between them: a row by its number, gap number i as `~i`."""

    def __init__(
        self, draft: Draft, numbers: Longs | None = None, gaps: tuple[Gap, ...] = ()
    ) -> None:
        self.draft = draft
        self.numbers = np.arange(len(draft)) if numbers is None else numbers
        self.gaps = gaps

    def __len__(self) -> int:
        return len(self.numbers)

    def gap_at(self, line: int) -> Gap:
        return self.gaps[~int(self.numbers[line])]

    def hidden(self, first: int, stop: int) -> Gap:
        """Count what lines stand for."""
        numbers = self.numbers[first:stop]
        gaps = [self.gaps[~number] for number in numbers[numbers < 0].tolist()]
        shown = numbers[numbers >= 0]
        nodes = int(self.draft.weight[shown].sum()) + sum(gap.nodes for gap in gaps)
        return Gap(Why.CUT, 0, rows=len(shown) + sum(gap.rows for gap in gaps), nodes=nodes)


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


def _folded(draft: Draft, room: int) -> _Lines:
    """Give the lines of a draft, repeats folded if they do not fit as they are."""
    if len(draft) <= room:
        return _Lines(draft)
    folding = Folding(draft.looks(), draft.good_starts(), budget=room)
    gaps: list[Gap] = []
    numbers = _write_out(folding, folding.tokens, draft, gaps)
    return _Lines(draft, numbers, tuple(gaps))


def _write_out(folding: Folding, tokens: Longs, draft: Draft, gaps: list[Gap]) -> Longs:
    """Write folds out: the lines of one instance, then the line that says how often it comes.

    Recurses into folds of folds, of which each holds at least two of the next.
    """
    parts, done = [], 0
    for at in np.flatnonzero(tokens < 0).tolist():
        fold = folding.folds[~int(tokens[at])]
        first, shown_until = folding.first_row(int(tokens[at])), folding.after(int(fold.tokens[-1]))
        parts += [tokens[done:at], _write_out(folding, fold.tokens, draft, gaps)]
        gaps.append(
            _Repeat(
                Why.REPEATED,
                int(draft.order.indent[first]),
                rows=fold.stop - shown_until,
                nodes=draft.nodes_between(shown_until, fold.stop),
                span=shown_until - first,
                times=fold.times,
                first=first,
            )
        )
        parts.append(np.array([~(len(gaps) - 1)]))
        done = at + 1
    return np.concatenate([*parts, tokens[done:]])


def _cut(lines: _Lines, room: int) -> _Lines:
    """Keep the head, the tail, and of what is between them the repeat that says most."""
    if len(lines) <= room:
        return lines
    tail = int((room - 1) * (1 - _HEAD_SHARE))
    head, stop = room - 1 - tail, len(lines) - tail
    repeats = head + np.flatnonzero(lines.numbers[head:stop] < 0)
    if not len(repeats) or head < 3:
        return _without(lines, [(head, stop)])
    most = max(repeats.tolist(), key=lambda at: lines.gap_at(at).nodes)
    return _without(lines, [(head - 2, most), (most + 1, stop)])


def _without(lines: _Lines, ranges: list[tuple[int, int]]) -> _Lines:
    """Put a gap in the place of each range of lines; a single line stays, it takes no more room."""
    gaps = list(lines.gaps)
    parts, done = [], 0
    for first, stop in ranges:
        if stop - first < 2:
            continue
        gaps.append(lines.hidden(first, stop))
        parts += [lines.numbers[done:first], np.array([~(len(gaps) - 1)])]
        done = stop
    return _Lines(lines.draft, np.concatenate([*parts, lines.numbers[done:]]), tuple(gaps))


def _assemble(capture: Capture, lines: _Lines) -> Outline:
    """Put the lines together, and behind them what a depth limit leaves out."""
    draft, numbers = lines.draft, lines.numbers
    found = {line: lines.gap_at(line) for line in np.flatnonzero(numbers < 0).tolist()}
    gaps = {
        line: gap.told(draft) if isinstance(gap, _Repeat) else gap for line, gap in found.items()
    }
    deeper = len(capture.graph) - draft.nodes_between(0, len(draft))
    if deeper:
        gaps[len(numbers)] = Gap(Why.DEEPER, 0, rows=deeper, nodes=deeper)
        numbers = np.append(numbers, -1)
    order, is_gap = draft.order, numbers < 0
    return Outline(
        capture=capture,
        reading=draft.reading(),
        node=np.where(is_gap, -1, order.node[numbers]).astype(np.int32),
        indent=np.where(is_gap, 0, order.indent[numbers]).astype(np.int32),
        opens=~is_gap & order.opens[numbers],
        gaps=gaps,
    )
