"""Which lines a scene has, and how far they are indented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.folds import FoldKind, Scene
from autograd_inspect.model.tables import Ints


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Items and heads in the order they are read; see `model.rails.Rails`."""

    item: Ints
    indent: Ints
    heads: Mapping[int, tuple[int, ...]]

    def __len__(self) -> int:
        """Count the lines."""
        return len(self.item)


def lines_of(scene: Scene) -> Lines:
    """Give every item a line, and every open module and repeat a head above what is in it.

    What holds only one thing shares its line: `norm (LayerNorm)  native_layer_norm`. An open chain
    has no head, as a chain never indents.
    """
    nesting = _Nesting(scene)
    items: list[int] = []
    indents: list[int] = []
    heads: dict[int, tuple[int, ...]] = {}
    opened: list[int] = []
    indent_in = {-1: 0}
    inside = [*scene.inside.tolist()]
    around = -1
    for item in range(len(scene) - 1, -1, -1):
        frame = nesting.frame[inside[item]]
        pending: tuple[int, ...] = ()
        if frame != around:
            entered = [*nesting.entered(frame, opened)]
            for outer in reversed(entered):
                indent_in[outer] = indent_in[opened[-1] if opened else -1]
                opened.append(outer)
                pending += (outer,)
                if nesting.holds[outer] > 1:
                    heads[len(items)] = pending
                    items.append(-1)
                    indents.append(indent_in[outer])
                    indent_in[outer] += 1
                    pending = ()
            around = frame
        if pending:
            heads[len(items)] = pending
        items.append(item)
        indents.append(indent_in[frame])
    return Lines(np.array(items, np.int32), np.array(indents, np.int32), heads)


def fits_in(scene: Scene, rows: int) -> bool:
    """Tell whether a scene has no more lines than that."""
    return len(scene) <= rows and len(lines_of(scene)) <= rows


class _Nesting:
    """The frames that have a head, and how many things each holds."""

    def __init__(self, scene: Scene) -> None:
        table = scene.folds.table
        self._parent = table.parent
        self._headed = {fold for fold in scene.frames if table.kind[fold] != FoldKind.CHAIN}
        innermost, number = np.unique(scene.inside, return_counts=True)
        #: The innermost frame with a head around what lies directly in a fold.
        self.frame = {fold: self._around(fold) for fold in innermost.tolist()}
        self.holds: Counter[int] = Counter()
        for fold, count in zip(innermost.tolist(), number.tolist(), strict=True):
            self.holds[self.frame[fold]] += count
        self._outer = {fold: self._around(int(self._parent[fold])) for fold in self._headed}
        self.holds.update(self._outer.values())

    def entered(self, frame: int, opened: list[int]) -> Iterator[int]:
        """Give the frames that lead to one from those that are open, innermost first.

        Those that are left behind are closed.
        """
        inner: list[int] = []
        while frame >= 0:
            inner.append(frame)
            frame = self._outer[frame]
        shared = set(inner)
        while opened and opened[-1] not in shared:
            opened.pop()
        return (one for one in inner if one not in set(opened))

    def _around(self, fold: int) -> int:
        while fold >= 0 and fold not in self._headed:
            fold = int(self._parent[fold])
        return fold
