"""Rails as text: a line per item, figures in columns, leaves behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.rails import Rails
from autograd_inspect.model.tables import Floats
from autograd_inspect.renderers.fitting import Detail, clipped, details
from autograd_inspect.renderers.gutter import Gutter
from autograd_inspect.renderers.items import Items
from autograd_inspect.renderers.text import Segment, counted, glyphs, paint, width_of

#: Lines beside those of the scene: the names of columns, and of those that have no room.
HEADING_LINES = 2
#: Columns are made to fit this many lines; the widths of more are a guess that holds.
_MEASURED_LINES = 2000
#: Of the lines, those that may be cut before all lines say less.
_OVERLONG = 0.08
#: More leaves of one item are counted on a terminal.
_FEW_LEAVES = 4
#: Of the labels, those that may reach into the columns.
_OUTLIERS = 0.04

_Parts = list[Segment]


@dataclass(frozen=True, slots=True)
class Look:
    """How rails are written.

    width    columns of the terminal; with None, for a file or pipe, nothing is cut
    columns  figures in each line, None for those that are known
    norms    per node, that of the gradient that arrived there
    """

    width: int | None = None
    color: bool = False
    ascii: bool = False
    columns: tuple[str, ...] | None = None
    norms: Floats | None = None


def render(rails: Rails, look: Look) -> str:
    """Write rails."""
    return "".join(f"{line}\n" for line in draw_lines(rails, look))


def draw_lines(rails: Rails, look: Look) -> Iterator[str]:
    """Write line by line, so that a million of them need not be held at once."""
    items = Items(rails.scene.folds, glyphs(ascii=look.ascii), look.norms)
    layout = _fitting(_Writer(rails, items), look.width, look.columns)
    if layout.sizes:
        yield paint(layout.heading(), color=look.color)
    for number in range(len(rails)):
        yield paint(layout.line(number), color=look.color)
    if missing := layout.missing(look.columns):
        yield paint(layout.remark(missing), color=look.color)


def _fitting(writer: _Writer, width: int | None, columns: Sequence[str] | None) -> _Layout:
    """Choose the fullest way to write in which the lines fit."""
    chosen = columns is not None
    asked = tuple(columns) if columns is not None else writer.items.known()
    sample = range(min(len(writer.rails), _MEASURED_LINES))
    # First with columns beside the heads of open folds, then with heads that reach into them.
    ways = (
        (detail, beside) for detail in details(asked, chosen=chosen) for beside in (True, False)
    )
    for detail, beside in ways:
        layout = _Layout.of(writer, detail, sample, width).beside(sample, heads=beside)
        overlong = sum(layout.size(number) > (width or 0) for number in sample)
        if width is None or overlong <= _OVERLONG * len(sample):
            break
    return layout


class _Writer:
    """Writes the parts of a line: the rails, a label, figures, and what there is behind them."""

    def __init__(self, rails: Rails, items: Items) -> None:
        self.rails = rails
        self.signs = items.signs
        self.items = items
        self.gutter = Gutter.of(rails, ascii=items.signs.rail.isascii())

    def thing(self, number: int) -> tuple[int, int]:
        """Give the fold and the row that a line's figures are of; -1 for none."""
        item = int(self.rails.item[number])
        if item < 0:
            return self.rails.heads[number][0], -1
        return int(self.rails.scene.fold[item]), int(self.rails.scene.row[item])

    def rail(self, number: int) -> _Parts:
        """Draw the rails of a line."""
        cells = self.rails.cells[number].tolist()
        if number in self.rails.skipped:
            return self.gutter.dotted(cells)
        item = self.rails.item[number]
        sign = self.items.sign(*self.thing(number)) if item >= 0 else ("", "")
        return self.gutter.draw(cells, int(self.rails.hidden[number]), sign)

    def label(self, number: int, detail: Detail) -> _Parts:
        """Write what a line is called, indented."""
        signs = self.signs
        indent: _Parts = [((" " if detail.brief else "  ") * int(self.rails.indent[number]), "")]
        if number in self.rails.skipped:
            skipped = self.rails.skipped[number]
            told = f"{counted(skipped.items, 'item')} ({counted(skipped.nodes, 'node')})"
            return [(f"{signs.ellipsis} {told} not shown: --all", "bold")]
        heads = self._heads(number, detail)
        if self.rails.item[number] < 0:
            return [*indent, (f"{signs.opened} ", ""), *heads]
        fold, row = self.thing(number)
        first, stop = self.items.span(fold, row)
        mark = f"{signs.closed} " if stop - first > 1 else ""
        between = (f" {signs.inner} " if fold >= 0 else "  ") if heads else ""
        return [
            *indent,
            (mark, ""),
            *heads,
            (between, ""),
            *self.items.label(fold, row, brief=detail.brief),
        ]

    def figures(self, number: int, columns: Sequence[str]) -> _Parts:
        """Write the columns of a line; the head of what is open says neither shape nor line."""
        if number in self.rails.skipped:
            return [("", "")] * len(columns)
        head = self.rails.item[number] < 0
        return [
            ("", "")
            if head and column in {"shape", "line"}
            else self.items.cell(column, *self.thing(number))
            for column in columns
        ]

    def behind(self, number: int, detail: Detail, most: int | None) -> list[list[_Parts]]:
        """Write what follows the columns, the size of a fold, what comes around, leaves.

        Each in several ways, the fullest first.
        """
        if number in self.rails.skipped:
            return []
        items, signs, (fold, row) = self.items, self.signs, self.thing(number)
        item = int(self.rails.item[number])
        first, stop = items.span(fold, row)
        parts: list[list[_Parts]] = []
        if fold >= 0 and stop - first > 1:
            parts.append([[items.size(fold)]])
        if item >= 0:
            if carried := items.carried(self.rails.scene, item):
                parts.append([carried, [(signs.again, "yellow")]])
            if leaves := items.leaves(first, stop, fold):
                parts.append(items.leaves_in_few_words(leaves, most))
            if detail.scalars and stop - first == 1 and (scalars := items.scalars(first)):
                parts.append([[(scalars, "dim")]])
        return parts

    def _heads(self, number: int, detail: Detail) -> _Parts:
        """Write the folds that begin in a line, and of a repeat which instance is shown."""
        written: _Parts = []
        for fold in self.rails.heads.get(number, ()):
            if written:
                around = self.rails.heads[number]
                if self._repeats_it(around, fold):
                    continue
                written.append((f" {self.signs.inner} ", "dim"))
            written += self.items.title(fold, brief=detail.brief)
            if self.items.folds.table.kind[fold] == FoldKind.REPEAT:
                written.append((f"  {self.signs.again} {self._shown(fold, detail)}", "yellow"))
        return written

    def _repeats_it(self, around: Sequence[int], fold: int) -> bool:
        """Tell whether a module is what the repeat right before it in a line is named by."""
        table = self.items.folds.table
        before = around[around.index(fold) - 1]
        return bool(table.kind[before] == FoldKind.REPEAT and table.kind[fold] == FoldKind.MODULE)

    def _shown(self, repeat: int, detail: Detail) -> str:
        """Say which instance of a repeat is on show."""
        number = self.rails.scene.opening.shown.get(repeat, 0)
        times = int(self.items.folds.table.times[repeat])
        if detail.brief:
            return f"{number + 1:,} of {times:,}"
        return f"{f'no. {number + 1:,}' if number else 'one'} of {times:,} shown"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the parts of lines go.

    label  columns that labels take, rails included
    sizes  per column of figures its width
    """

    writer: _Writer
    detail: Detail
    width: int | None
    label: int
    sizes: tuple[int, ...]

    @classmethod
    def of(
        cls, writer: _Writer, detail: Detail, sample: Sequence[int], width: int | None
    ) -> _Layout:
        """Make columns as wide as lines need them."""
        figures = [writer.figures(number, detail.columns) for number in sample]
        sizes = [
            max([len(name), *(width_of([cell]) for cell in column)])
            for name, column in zip(detail.columns, zip(*figures, strict=True), strict=True)
        ]
        return cls(writer, detail, width, 0, tuple(sizes))

    def beside(self, sample: Sequence[int], *, heads: bool) -> _Layout:
        """Put the columns beside the labels of items, and with `heads` of open folds too."""
        item = self.writer.rails.item
        labels = sorted(
            width_of(self.writer.label(number, self.detail)) - self._blank(number)
            for number in sample
            if heads or item[number] >= 0
        )
        outliers = int(_OUTLIERS * len(labels)) if self.width is not None and not heads else 0
        label = labels[len(labels) - 1 - outliers] if labels else 0
        return replace(self, label=self.writer.gutter.width + label)

    def _blank(self, number: int) -> int:
        """Count the columns that a head can reach into: those of what it has no figures for."""
        if self.writer.rails.item[number] >= 0:
            return 0
        figures = self.writer.figures(number, self.detail.columns)
        told = [at for at, (text, _) in enumerate(figures) if text]
        return sum(2 + size for size in self.sizes[: min(told, default=len(figures))])

    def heading(self) -> _Parts:
        """Name the columns."""
        names: _Parts = [(name, "dim") for name in self.detail.columns]
        return self._cut([(" " * self.label, ""), *self._aligned(names)])

    def missing(self, columns: Sequence[str] | None) -> list[str]:
        """Name the columns that there is something for, but no room."""
        if columns is not None:
            return []
        known = self.writer.items.known()
        return [column for column in known if column not in self.detail.columns]

    def remark(self, missing: Sequence[str]) -> _Parts:
        """Say that there is no room for some columns, and where there is."""
        told = f"no room for {', '.join(missing)}"
        full = f"{told}: a wider terminal, or a pipe, has them"
        return self._cut([(full if len(full) <= (self.width or 0) else told, "dim")])

    def line(self, number: int) -> _Parts:
        """Write a line, with as much behind the columns as there is room for."""
        line, behind = self._parts(number)
        for ways in behind:
            used = width_of(line) + 2
            fitting = [
                way for way in ways if self.width is None or used + width_of(way) <= self.width
            ]
            if fitting:
                line += [("  ", ""), *fitting[0]]
        return self._cut(line)

    def size(self, number: int) -> int:
        """Give the columns that a line would take."""
        line, behind = self._parts(number)
        if not behind:
            return width_of([("".join(text for text, _ in line).rstrip(), "")])
        whole = sum(2 + width_of(ways[0]) for ways in behind)
        return width_of(line) + min(
            whole, whole if self.detail.behind is None else self.detail.behind
        )

    def _parts(self, number: int) -> tuple[_Parts, list[list[_Parts]]]:
        """Write a line up to the end of the columns, and what is behind them."""
        writer = self.writer
        rail, label = writer.rail(number), self._label(number)
        over = width_of(rail) + width_of(label) - self.label
        figures = writer.figures(number, self.detail.columns)
        columns = self._aligned(figures, over=max(over, 0))
        few = None if self.width is None else _FEW_LEAVES
        behind = writer.behind(number, self.detail, few)
        return [*rail, *label, (" " * -over, ""), *columns], behind

    def _label(self, number: int) -> _Parts:
        """Write the label of a line; the head of open folds is brief where columns begin."""
        label = self.writer.label(number, self.detail)
        if self.width is None or self.writer.rails.item[number] >= 0:
            return label
        figures = self.writer.figures(number, self.detail.columns)
        told = [at for at, (text, _) in enumerate(figures) if text]
        room = self.width - width_of([figures[at] for at in told]) - 2 * len(told)
        if told:
            room = min(room, self.label + self._blank(number))
        if self.writer.gutter.width + width_of(label) <= room:
            return label
        return self.writer.label(number, replace(self.detail, brief=True))

    def _aligned(self, cells: _Parts, *, over: int = 0) -> _Parts:
        """Set figures in their columns, closer where a label reaches into them."""
        aligned: _Parts = []
        for (text, style), size in zip(cells, self.sizes, strict=True):
            blank = 2 + size - width_of([(text, "")])
            closer = min(blank - 2 if text else blank, over)
            over -= closer
            aligned += [(" " * (blank - closer), ""), (text, style)]
        return aligned

    def _cut(self, parts: _Parts) -> _Parts:
        return (
            parts if self.width is None else clipped(parts, self.width, self.writer.signs.ellipsis)
        )
