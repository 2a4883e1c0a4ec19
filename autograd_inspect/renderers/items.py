"""What stands in a line of a folded graph: names, figures, leaves, of rows and of folds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from autograd_inspect.model.columns import COLUMNS
from autograd_inspect.model.folds import FoldKind, Folds, Scene
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Floats, Kind, Longs
from autograd_inspect.renderers.text import (
    Glyphs,
    Origins,
    Segment,
    counted,
    duration,
    figure,
    label_of,
    safe,
    sign_of,
    size,
    telling_scalars,
)

#: Of a closed module with no more rows than this, all operations are named.
_FEW_ROWS = 3


class Items:
    """Writes what rows and folds are; an item is its fold, or -1 and its row.

    `norms` are those of the gradients that arrived, per node: leaves with an odd one say so.
    """

    def __init__(self, folds: Folds, signs: Glyphs, norms: Floats | None = None) -> None:
        self.folds = folds
        self._norms = np.full(len(folds.graph), np.nan) if norms is None else norms
        self.signs = signs
        self._graph = folds.graph
        self._ascii = signs.rail.isascii()
        self._origins = Origins(folds.graph)
        self._carried: dict[Scene, dict[int, list[int]]] = {}
        self._first = folds.table.first
        self._stop = folds.table.stop

    def node(self, row: int) -> Node:
        """Give the node of a row."""
        return self._graph.node(int(self.folds.node[row]))

    def sign(self, fold: int, row: int) -> Segment:
        """Give the sign of an item: a fold with a root in it is one, too."""
        first, stop = self.span(fold, row)
        if self._roots_in(first, stop):
            return self.signs.root, "bold green"
        if fold >= 0 and stop - first > 1:
            repeat = self.folds.table.kind[fold] == FoldKind.REPEAT
            return (self.signs.several, "yellow") if repeat else (self.signs.node, "")
        sign, style = sign_of(self.node(first), self.signs)
        return sign.rstrip(), style

    def title(self, fold: int, *, brief: bool = False) -> list[Segment]:
        """Give what a fold is called; `brief`, a module goes without its class."""
        title = self.folds.titles[fold]
        if brief and (cls := self._class(fold)):
            title = title.replace(f" ({cls})", "", 1)
        style = {FoldKind.MODULE: "cyan", FoldKind.REPEAT: "yellow"}.get(
            FoldKind(self.folds.table.kind[fold]), ""
        )
        return [(self._safe(title), style)]

    def label(self, fold: int, row: int, *, brief: bool = False) -> list[Segment]:
        """Give what an item is called, behind an arrow the variable or root that it gives."""
        first, stop = self.span(fold, row)
        if fold < 0:
            return label_of(self.node(first), self.signs)
        label = self.title(fold, brief=brief)
        if self.folds.table.kind[fold] == FoldKind.MODULE and stop - first <= _FEW_ROWS:
            ops = [self._safe(self.node(one).title) for one in range(first, stop)]
            label.append((f"  {f' {self.signs.gives} '.join(ops)}", ""))
        for name in self._roots_in(first, stop):
            label.append((f" {self.signs.gives} {self._safe(name)}", "bold green"))
        return label

    def cell(self, column: str, fold: int, row: int) -> Segment:
        """Give the text of a column, empty where nothing is known."""
        figures = self.folds.of_folds if fold >= 0 else self.folds.of_rows
        at = fold if fold >= 0 else row
        match column:
            case "shape":
                return self._shape(int(self._stop[fold]) - 1 if fold >= 0 else row), "cyan"
            case "saved":
                held = int(figures.saved[at])
                return size(held) if held else self.signs.dot, ""
            case "grad":
                return self._gradient(float(figures.norm[at]))
            case "time":
                spent = int(figures.spent[at])
                return duration(spent, ascii=self._ascii) if spent >= 0 else "", ""
        return self._safe(self._line(fold, row)), "dim"

    def known(self) -> tuple[str, ...]:
        """Give the columns that have something to say; times only if they were asked for."""
        graph, whole = self._graph, self.folds.of_rows
        known = {
            "shape": True,
            "saved": bool(whole.saved.any()),
            "grad": not bool(np.isnan(whole.norm).all()),
            "time": len(graph.time_table.forward) > 0,
            "line": bool(graph.places),
        }
        return tuple(column for column in COLUMNS if known[column])

    def size(self, fold: int) -> Segment:
        """Say how many nodes a fold has."""
        return counted(int(self.folds.of_folds.nodes[fold]), "node"), "dim"

    def scalars(self, row: int) -> str:
        """Write what a row saved beside tensors, and what kind of node it is if not the usual."""
        node = self.node(row)
        attributes = self._graph.attributes[int(self._graph.node_table.attributes[node.index])]
        usual = node.kind in {Kind.OPERATION, Kind.VIEW, Kind.LEAF}
        words = [] if usual else [node.kind.label]
        return self._safe(" ".join([*words, *telling_scalars(attributes)]))

    def leaves(self, first: int, stop: int, fold: int) -> list[list[Segment]]:
        """Write the leaves that rows use, one by one."""
        uses = self.folds.uses
        span = slice(self._uses_start[first], self._uses_start[stop])
        if span.start == span.stop:
            return []
        around = self._module_around(fold, first)
        written: list[list[Segment]] = []
        for leaf in dict.fromkeys(uses.leaf[span].tolist()):
            name = self._graph.leaf_at[leaf].name.removeprefix(around)
            shown = [(self._safe(name) or self._spec(leaf), "magenta"), *self._remarks(leaf)]
            written.append(shown)
        return written

    def _remarks(self, leaf: int) -> Iterator[Segment]:
        """Say of a leaf how often it is used if more than once, and what is wrong with it."""
        if self._uses_of[leaf] > 1:
            yield f" {self.signs.times}{self._uses_of[leaf]:,}", "yellow"
        if not self._graph.leaf_at[leaf].requires_grad:
            yield " requires_grad=False", "yellow"
        norm = float(self._norms[leaf])
        if norm == 0:
            yield f" {self.signs.gradient}0", "bold red"
        elif math.isinf(norm):
            yield f" {self.signs.gradient} not finite", "bold red"

    def leaves_in_few_words(
        self, leaves: list[list[Segment]], most: int | None
    ) -> list[list[Segment]]:
        """Put leaves together: by name if they are no more than that, by number, by a figure."""
        sign: Segment = (f"{self.signs.leaf} ", "magenta")
        named = [sign]
        for leaf in leaves:
            named += [(", ", "magenta"), *leaf] if len(named) > 1 else leaf
        number = [sign, (counted(len(leaves), "leaf", "leaves"), "magenta")]
        figure_only = [sign, (f"{len(leaves):,}", "magenta")]
        ways = [named, number, figure_only]
        return ways if most is None or len(leaves) <= most else ways[1:]

    def carried(self, scene: Scene, item: int) -> list[Segment]:
        """Write what an item takes from the instance of a repeat before its own."""
        found = self._carried.get(scene)
        if found is None:
            found = self._carried[scene] = {}
            crossing = np.flatnonzero(scene.carried)
            ends = scene.source[crossing].tolist(), scene.target[crossing].tolist()
            for source, target in zip(*ends, strict=True):
                found.setdefault(source, []).append(target)
        names = dict.fromkeys(
            self.name(int(scene.fold[one]), int(scene.row[one])) for one in found.get(item, ())
        )
        return [(f"{self.signs.again} {', '.join(names)}", "yellow")] if names else []

    def name(self, fold: int, row: int) -> str:
        """Name an item in a word or two: by the variable that it gives, if there is one."""
        if fold >= 0:
            return self._safe(self.folds.titles[fold])
        node = self.node(row)
        return self._safe(node.variable or node.title)

    def span(self, fold: int, row: int) -> tuple[int, int]:
        """Give the first row of an item, and the row after its last."""
        return (int(self._first[fold]), int(self._stop[fold])) if fold >= 0 else (row, row + 1)

    def _shape(self, row: int) -> str:
        texts = [str(spec) if spec else "?" for spec in self.node(row).outputs]
        distinct = list(dict.fromkeys(texts))
        if len(distinct) == 1 and len(texts) > 1:
            return self._safe(f"{distinct[0]} {self.signs.times}{len(texts)}")
        return self._safe(", ".join(texts))

    def _gradient(self, norm: float) -> Segment:
        odd = not norm or math.isinf(norm)
        text = "not finite" if math.isinf(norm) else figure(norm)
        return ("", "") if math.isnan(norm) else (text, "bold red" if odd else "dim")

    def _class(self, fold: int) -> str:
        """Give the class of a module, or of the modules that repeat; empty for other folds."""
        table = self.folds.table
        if table.kind[fold] == FoldKind.REPEAT and fold + 1 < len(table.kind):
            fold += 1  # a fold comes right before those in it
        call = int(table.call[fold])
        return (
            self._graph.modules[int(self._graph.call_table.module[call])].cls if call >= 0 else ""
        )

    def _line(self, fold: int, row: int) -> str:
        """Give the line that made a row, or all rows of a fold; empty where they differ."""
        if fold < 0:
            stack = int(self._graph.node_table.stack[self.folds.node[row]])
            return self._origins.place_of_stack(stack)
        nodes = self.folds.node[slice(*self.span(fold, row))]
        stacks = np.unique(self._graph.node_table.stack[nodes])
        if len(stacks) > _FEW_ROWS:
            return ""
        lines = {self._origins.place_of_stack(stack) for stack in stacks.tolist()}
        return lines.pop() if len(lines) == 1 else ""

    def _module_around(self, fold: int, row: int) -> str:
        """Give what the names of leaves begin with that belong to an item's module."""
        call = int(self.folds.table.call[fold]) if fold >= 0 else -1
        if call < 0:
            call = int(self._graph.node_table.call[self.folds.node[row]])
        around = self._origins.module_of_call(call)[2]
        return f"{around}." if around else ""

    def _spec(self, leaf: int) -> str:
        outputs = self._graph.node(leaf).outputs
        return self._safe(str(outputs[0])) if outputs else "?"

    def _roots_in(self, first: int, stop: int) -> list[str]:
        return [name for row, name in self._roots if first <= row < stop]

    @cached_property
    def _roots(self) -> list[tuple[int, str]]:
        rows = self.folds.row[self._graph.root_table.node].tolist()
        return [(row, root.name) for row, root in zip(rows, self._graph.roots, strict=True)]

    @cached_property
    def _uses_start(self) -> list[int]:
        """Give per row where its uses of leaves begin, and at the end where they end."""
        rows = np.arange(len(self.folds) + 1)
        start: list[int] = np.searchsorted(self.folds.uses.source, rows).tolist()
        return start

    @cached_property
    def _uses_of(self) -> Longs:
        return np.bincount(self.folds.uses.leaf, minlength=len(self._graph))

    def _safe(self, text: str) -> str:
        if self._ascii:
            for sign, plain in (("→", "->"), ("…", "..."), ("×", "x")):
                text = text.replace(sign, plain)
        return safe(text, ascii=self._ascii)
