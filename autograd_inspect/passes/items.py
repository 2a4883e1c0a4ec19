"""The items of a scene: which rows they are, their figures, and how each reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autograd_inspect.model.folds import Figures, FoldKind, Scene
from autograd_inspect.model.tables import Ints, Longs
from autograd_inspect.model.view import Face, Role
from autograd_inspect.passes.heat import bytes_text
from autograd_inspect.passes.looks import described, outputs_lines
from autograd_inspect.passes.part import TIMES

_ROLES = {
    FoldKind.MODULE: Role.MODULE,
    FoldKind.REPEAT: Role.REPEAT,
    FoldKind.CHAIN: Role.CHAIN,
}
_LEAF = "\N{BLACK CIRCLE}"
_DOT = " \N{MIDDLE DOT} "
#: Of the leaves that a box uses, so many are named; the tip names more.
_FEW, _SOME = 2, 12


@dataclass(frozen=True, eq=False)
class Items:
    """The items of a scene, and how each reads."""

    scene: Scene

    @cached_property
    def rows(self) -> list[int]:
        """Give the row that each item is, or consists of; -1 where it consists of several."""
        scene, table = self.scene, self.scene.folds.table
        single = np.append(table.stop - table.first == 1, False)[scene.fold]
        first = np.append(table.first, -1)[scene.fold]
        rows: list[int] = np.where(single, first, scene.row).tolist()
        return rows

    @cached_property
    def first_rows(self) -> Ints:
        """Give the first row of each item, itself where it is one."""
        scene = self.scene
        first = np.append(scene.folds.table.first, -1)[scene.fold]
        rows: Ints = np.where(scene.row >= 0, scene.row, first).astype(np.int32)
        return rows

    @cached_property
    def figures(self) -> Figures:
        """Give the figures of all items."""
        scene, folds = self.scene, self.scene.folds
        return Figures(
            *(
                np.where(
                    scene.row >= 0,
                    getattr(folds.of_rows, name)[np.maximum(scene.row, 0)],
                    np.append(getattr(folds.of_folds, name), 0)[scene.fold],
                )
                for name in ("nodes", "leaves", "saved", "spent", "norm")
            )
        )

    def face(self, item: int) -> Face:
        """Describe an item."""
        row, fold = self.rows[item], int(self.scene.fold[item])
        if row < 0:
            return self._of_fold(item, fold)
        folds = self.scene.folds
        plain = described(folds.graph, int(folds.node[row]))
        leaves = self._leaf_names(row, row + 1)
        shapes = outputs_lines(folds.graph.node(int(folds.node[row])).outputs)
        tip = (*plain.tip, *(f"uses {name}" for name in leaves[:_SOME]), *self._lines(row))
        badge = _badge(leaves)
        if fold < 0:
            return Face(plain.title, plain.role, _filled(_spaced(*shapes, badge)), tip)
        # A module of one operation is that operation, under its own name.
        role = Role.MODULE if plain.role is not Role.ROOT else Role.ROOT
        line = _spaced(" ".join((plain.title, *shapes)), badge)
        return Face(folds.titles[fold], role, (line,), tip)

    def _of_fold(self, item: int, fold: int) -> Face:
        folds, figures = self.scene.folds, self.figures
        kind = FoldKind(folds.table.kind[fold])
        count = int(figures.nodes[item])
        size = f"{count:,} {'operation' if count == 1 else 'operations'}"
        saved = int(figures.saved[item])
        leaves = int(figures.leaves[item])
        first, stop = int(folds.table.first[fold]), int(folds.table.stop[fold])
        shapes = outputs_lines(folds.graph.node(int(folds.node[stop - 1])).outputs)
        names = self._leaf_names(first, stop)
        many = f"{_LEAF} {leaves:,} leaves" if leaves > _FEW else _badge(names)
        held = f"{bytes_text(saved)} saved" if saved else ""
        lines = (_DOT.join(_filled(size, held)), _spaced(*shapes, many))
        tip = (
            folds.titles[fold],
            f"holds {saved:,} bytes for backward",
            *(f"uses {name}" for name in names[:_SOME]),
            *([f"and {len(names) - _SOME:,} more leaves"] if len(names) > _SOME else []),
            *self._lines(first),
        )
        return Face(folds.titles[fold], _ROLES[kind], _filled(*lines), tip)

    def _leaf_names(self, first: int, stop: int) -> list[str]:
        """Name the leaves that some rows use, each once, with how often where that is more."""
        folds = self.scene.folds
        span = slice(*np.searchsorted(folds.uses.source, [first, stop]).tolist())
        found, at = np.unique(folds.uses.leaf[span], return_index=True)
        names = self._name_of_leaf
        told = []
        for leaf in found[np.argsort(at)].tolist():
            uses = int(self._uses[leaf])
            told.append(names.get(leaf, "leaf") + (f" {TIMES}{uses:,}" if uses > 1 else ""))
        return told

    @cached_property
    def _uses(self) -> Longs:
        folds = self.scene.folds
        return np.bincount(folds.uses.leaf, minlength=len(folds.graph))

    @cached_property
    def _name_of_leaf(self) -> dict[int, str]:
        graph = self.scene.folds.graph
        leaves = graph.leaf_table
        pairs = zip(leaves.node.tolist(), leaves.name.tolist(), strict=True)
        return {node: graph.name(name) for node, name in pairs if name >= 0}

    def _lines(self, row: int) -> Iterator[str]:
        """Tell the lines that made a row."""
        folds = self.scene.folds
        stack = int(folds.graph.node_table.stack[folds.node[row]])
        for number, line in enumerate(folds.graph.lines_of(stack)):
            yield f"{'called from' if number else 'made at'} {line}"


def _badge(names: Sequence[str]) -> str:
    """Write the leaves that a box uses, without what lies around their last name."""
    if not names:
        return ""
    short = [name.rpartition(".")[2] for name in names[:_FEW]]
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"{_LEAF} {', '.join(short)}{more}"


def _spaced(*texts: str) -> str:
    return "  ".join(filter(None, texts))


def _filled(*texts: str) -> tuple[str, ...]:
    return tuple(filter(None, texts))
