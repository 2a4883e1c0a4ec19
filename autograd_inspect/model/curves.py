"""Values of one-dimensional leaves, of what operations make of them, and of their gradients.

The only values of tensors that a capture ever holds, and only where they were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property, partial

import numpy as np

from autograd_inspect.model.tables import Bytes, Floats, Ints, empty


class CurveKind(IntEnum):
    """What the values of a curve are."""

    LEAF = 0
    RESULT = 1
    GRADIENT = 2


@dataclass(frozen=True, slots=True, eq=False)
class CurveTable:
    """One row per curve; the curves of a leaf have equally many points.

    leaf  row in `LeafTable`: the leaf that this is drawn against
    kind  a `CurveKind`: the leaf itself, once for each; what was made of it; its gradient
    node  the node that made a result, the leaf's own for the others
    name  row in `Curves.names`: the variable
    """

    leaf: Ints
    kind: Bytes
    node: Ints
    name: Ints


@dataclass(frozen=True, slots=True, eq=False)
class PointTable:
    """One row per value, curve by curve, in the order of the tensor's elements."""

    curve: Ints
    value: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The values of one tensor."""

    name: str
    node: int
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A leaf with what belongs in one picture with it.

    row       of the leaf in `LeafTable`
    leaf      its values before the backward
    results   what operations made of it, element by element, the first operation's first
    gradient  its gradient after the backward
    """

    row: int
    leaf: Curve
    results: tuple[Curve, ...]
    gradient: Curve


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of a capture, as columns."""

    table: CurveTable = field(default_factory=partial(empty, CurveTable))
    points: PointTable = field(default_factory=partial(empty, PointTable))
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, charts: Iterable[Chart]) -> Curves:
        """Put charts into columns."""
        rows = [
            (chart.row, kind, curve)
            for chart in charts
            for kind, curves in _by_kind(chart)
            for curve in curves
        ]
        names = {name: row for row, name in enumerate(dict.fromkeys(c.name for *_, c in rows))}
        table = CurveTable(
            leaf=np.array([leaf for leaf, *_ in rows], np.int32),
            kind=np.array([kind for _, kind, _ in rows], np.uint8),
            node=np.array([curve.node for *_, curve in rows], np.int32),
            name=np.array([names[curve.name] for *_, curve in rows], np.int32),
        )
        sizes = np.array([len(curve.values) for *_, curve in rows], np.int64)
        points = PointTable(
            curve=np.repeat(np.arange(len(rows), dtype=np.int32), sizes),
            value=np.concatenate([np.zeros(0), *(curve.values for *_, curve in rows)]),
        )
        return cls(table, points, tuple(names))

    def __len__(self) -> int:
        """Count the curves."""
        return len(self.table.leaf)

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        """The curves by leaf."""
        found: dict[int, dict[CurveKind, list[Curve]]] = {}
        for row, (leaf, kind) in enumerate(zip(self.table.leaf, self.table.kind, strict=True)):
            of_leaf = found.setdefault(int(leaf), {kind: [] for kind in CurveKind})
            of_leaf[CurveKind(kind)].append(self._curve(row))
        return tuple(
            Chart(leaf, of[CurveKind.LEAF][0], tuple(of[CurveKind.RESULT]), gradient)
            for leaf, of in found.items()
            for gradient in of[CurveKind.GRADIENT]
        )

    def _curve(self, row: int) -> Curve:
        first, last = np.searchsorted(self.points.curve, [row, row + 1])
        name = self.names[int(self.table.name[row])]
        return Curve(name, int(self.table.node[row]), self.points.value[first:last])


def _by_kind(chart: Chart) -> list[tuple[CurveKind, Sequence[Curve]]]:
    return [
        (CurveKind.LEAF, [chart.leaf]),
        (CurveKind.RESULT, chart.results),
        (CurveKind.GRADIENT, [chart.gradient]),
    ]
