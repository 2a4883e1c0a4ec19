"""Going through folds thing by thing: what is in one, what leads to it, what goes by a name.

A thing is a fold, or a row that is in no fold but those around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.folds import FoldKind, Folds
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.tables import Bools, Kind, Longs


@dataclass(frozen=True, slots=True)
class Thing:
    """A fold, or with -1 a row."""

    fold: int
    row: int = -1


class Reading:
    """Reads folds from the root to the leaves, as a tree in which repeats have one instance."""

    def __init__(self, folds: Folds) -> None:
        self.folds = folds
        table = folds.table
        by_parent = np.argsort(table.parent, kind="stable")
        self._in_order = by_parent
        self._start = np.searchsorted(table.parent[by_parent], np.arange(-1, len(table.parent) + 1))

    def span(self, thing: Thing) -> tuple[int, int]:
        """Give the first row of a thing and the row after its last."""
        if thing.fold < 0:
            return thing.row, thing.row + 1
        table = self.folds.table
        return int(table.first[thing.fold]), int(table.stop[thing.fold])

    def opens(self, thing: Thing) -> bool:
        """Tell whether there is more than one row in it."""
        first, stop = self.span(thing)
        return stop - first > 1

    def is_repeat(self, thing: Thing) -> bool:
        """Tell whether it has instances."""
        return thing.fold >= 0 and bool(self.folds.table.kind[thing.fold] == FoldKind.REPEAT)

    def inside(self, fold: int, number: int = 0) -> list[Thing]:
        """Give what lies directly in a fold, of a repeat in one instance; in -1 is everything."""
        table = self.folds.table
        first, stop = (0, len(self.folds)) if fold < 0 else self.span(Thing(fold))
        if fold >= 0 and table.kind[fold] == FoldKind.REPEAT:
            first, stop = self.folds.instance(fold, number)
        inner = self._in_order[self._start[fold + 1] : self._start[fold + 2]]
        inner = inner[(table.first[inner] >= first) & (table.first[inner] < stop)]
        found = [Thing(one) for one in inner.tolist()]
        free = np.flatnonzero(self.folds.fold[first:stop] == fold) + first
        found += [Thing(-1, row) for row in free.tolist()]
        return sorted(found, key=self.span, reverse=True)

    def way_to(self, thing: Thing) -> list[int]:
        """Give the folds around a thing, the outermost first."""
        around = self.folds.table.parent[thing.fold] if thing.fold >= 0 else self._fold_of(thing)
        return [*self.folds.around(int(around))][::-1]

    def thing_of(self, row: int) -> Thing:
        """Give a row as a thing: the module that consists of it alone, else the row."""
        table = self.folds.table
        thing = Thing(-1, row)
        for fold in self.folds.around(int(self.folds.fold[row])):
            if table.stop[fold] - table.first[fold] > 1:
                break
            thing = Thing(fold)
        return thing

    def users(self, thing: Thing) -> list[int]:
        """Give the rows outside of a thing that use something in it, the nearest first."""
        first, stop = self.span(thing)
        arrows = self.folds.arrows
        inside = (arrows.target >= first) & (arrows.target < stop)
        return sorted(set(arrows.source[inside & (arrows.source >= stop)].tolist()))

    def inputs(self, thing: Thing) -> list[int]:
        """Give the rows outside of a thing that something in it uses, the nearest first."""
        first, stop = self.span(thing)
        arrows = self.folds.arrows
        span = slice(*np.searchsorted(arrows.source, [first, stop]).tolist())
        target = arrows.target[span]
        return sorted(set(target[target < first].tolist()), reverse=True)

    def roots(self) -> list[int]:
        """Give the rows of the roots, the last one made first."""
        rows = self.folds.row[self.folds.graph.root_table.node]
        return sorted(set(rows[rows >= 0].tolist()), reverse=True)

    def named(self, text: str) -> list[Thing]:
        """Find what goes by a name, or part of it: operation, variable, module or leaf."""
        wanted = text.casefold()
        titles = (number for number, title in enumerate(self.folds.titles) if _has(title, wanted))
        return self._in_reading_order(titles, _numbers(self._rows_named(wanted)))

    def using(self, text: str) -> list[Thing]:
        """Find the rows that use leaves of a name, or with that in it."""
        return self._in_reading_order((), _numbers(self._rows_using(text.casefold())))

    def made_at(self, text: str) -> list[Thing]:
        """Find the rows that a line made, given as `model.py:12` or `12`."""
        file, _, line = text.strip().rpartition(":")
        graph = self.folds.graph
        places = {
            row
            for row, place in enumerate(graph.places)
            if str(place.line) == line and place.file.replace("\\", "/").endswith(file)
        }
        stacks = [not places.isdisjoint(stack.lines) for stack in graph.stacks]
        made = np.array([*stacks, False], np.bool_)[graph.node_table.stack[self.folds.node]]
        return self._in_reading_order((), _numbers(made))

    def _in_reading_order(self, folds: Iterable[int], rows: Longs) -> list[Thing]:
        found = {self.thing_of(row) for row in rows.tolist()} | {Thing(fold) for fold in folds}
        return sorted(found, key=lambda thing: (-self.span(thing)[1], self.span(thing)[0]))

    def _rows_named(self, wanted: str) -> Bools:
        graph, node = self.folds.graph, self.folds.node
        table = graph.node_table
        ops = [
            _has(op, wanted) or any(_has(forward_name(op, kind), wanted) for kind in Kind)
            for op in graph.ops
        ]
        names = np.array([*(_has(name, wanted) for name in graph.names), False], np.bool_)
        found: Bools = np.array(ops, np.bool_)[table.op[node]] | names[table.variable[node]]
        return found | self._rows_using(wanted)

    def _rows_using(self, wanted: str) -> Bools:
        graph, uses = self.folds.graph, self.folds.uses
        leaves = graph.leaf_table
        names = np.array([*(_has(name, wanted) for name in graph.names), False], np.bool_)
        wanted_leaf = np.zeros(len(graph), np.bool_)
        wanted_leaf[leaves.node[names[leaves.name]]] = True
        found = np.zeros(len(self.folds), np.bool_)
        found[uses.source[wanted_leaf[uses.leaf]]] = True
        return found

    def _fold_of(self, thing: Thing) -> int:
        return int(self.folds.fold[thing.row])


def _has(text: str, wanted: str) -> bool:
    return wanted in text.casefold()


def _numbers(marks: Bools) -> Longs:
    return np.flatnonzero(marks).astype(np.int64)
