"""What all tables have in common: aligned for a terminal, tab-separated for a pipe, CSV, JSON.

On a terminal colour only repeats what the text says, and columns that have no room are named below.
Everywhere else values are exact and complete.
"""

from __future__ import annotations

import csv as csv_format
import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar

from autograd_inspect.model.capture import Capture
from autograd_inspect.renderers.text import Segment, paint, width_of

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column on a terminal: a heading, the text of a row, its style, and the side it lines up.

    figure   what is said of a row instead of its figures stands in the place of this column
    missed   what it is called where it is left out, if not by its heading
    """

    heading: str
    text: Callable[[Row], str]
    style: Callable[[Row], str] = lambda _: ""
    right: bool = True
    figure: bool = True
    missed: str = ""

    def beside(self, text: str, size: int) -> str:
        """Pad a text to the width of the column."""
        gap = " " * (size - width_of([(text, "")]))
        return gap + text if self.right else text + gap


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Row]):
    """A table for a terminal.

    columns      from left to right; the first names the row
    silent       headings of columns that tell nothing here: first to go, and not missed
    dispensable  headings of columns that a narrow terminal goes without, in this order
    instead      what is said of a row in the place of its figures, empty for the figures
    """

    columns: Sequence[Column[Row]]
    silent: Sequence[str] = ()
    dispensable: Sequence[str] = ()
    instead: Callable[[Row], str] = lambda _: ""

    def render(self, rows: Sequence[Row], *, width: int | None, color: bool) -> str:
        """Lay rows out, columns aligned, within a width in terminal columns."""
        sizes, missing = self._fitting(rows, width)
        heading = [(column.beside(column.heading, size), "bold") for column, size in sizes.items()]
        lines = [_spaced(heading)]
        for row in rows:
            lines += self._line(row, sizes)
        if missing:
            names = ", ".join(missing)
            lines.append([(f"no room for {names}: a wider terminal, or a pipe, has them", "dim")])
        return "".join(f"{paint(line, color=color)}\n" for line in lines)

    def _fitting(
        self, rows: Sequence[Row], width: int | None
    ) -> tuple[dict[Column[Row], int], list[str]]:
        """Give the columns that fit with their widths, and the names of those left out."""
        sizes = {column: self._size(column, rows, width) for column in self.columns}
        missing = []
        for heading in (*self.silent, *self.dispensable):
            if width is None or sum(sizes.values()) + 2 * len(sizes) - 2 <= width:
                break
            gone = [column for column in sizes if column.heading == heading]
            for column in gone:
                del sizes[column]
            if heading not in self.silent:
                missing += [column.missed or column.heading for column in gone]
        return sizes, missing

    def _size(self, column: Column[Row], rows: Sequence[Row], width: int | None) -> int:
        """Give the width of a column; a name longer than half a terminal has a line of its own."""
        told = [row for row in rows if not column.figure or not self.instead(row)]
        sizes = [width_of([(column.text(row), "")]) for row in told]
        if width is not None:
            sizes = [size for size in sizes if size <= width // 2]
        return max([len(column.heading), *sizes])

    def _line(self, row: Row, sizes: dict[Column[Row], int]) -> list[list[Segment]]:
        """Lay out one row; a name too long for the terminal gets a line of its own."""
        cells: list[Segment] = []
        instead = self.instead(row)
        for column, size in sizes.items():
            if column.figure and instead:
                cells.append((instead, "yellow"))
                break
            cells.append((column.beside(column.text(row), size), column.style(row)))
        name = next(iter(sizes.values()))
        if width_of(cells[:1]) > name:
            return [cells[:1], _spaced([(" " * name, ""), *cells[1:]])]
        return [_spaced(cells)]


def _spaced(cells: list[Segment]) -> list[Segment]:
    return [part for cell in cells for part in (("  ", ""), cell)][1:]


def in_a_line(facts: Iterable[Segment], dot: str, *, color: bool) -> str:
    """Join facts to one line, with dots between them."""
    line: list[Segment] = []
    for fact in facts:
        line += [(f" {dot} ", "dim"), fact] if line else [fact]
    return paint(line, color=color) + "\n"


def tabbed(lines: Iterable[Sequence[str]]) -> str:
    """Write values as tab-separated text; none of them holds a tab or a line break."""
    return "".join("\t".join(values) + "\n" for values in lines)


def csv(lines: Iterable[Sequence[str]]) -> str:
    """Write values as CSV."""
    stream = io.StringIO()
    csv_format.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue()


def to_json(head: dict[str, object], rows: Iterable[dict[str, object]]) -> str:
    """Write one JSON object: what `head` has, then `rows`, each in a line of its own."""
    lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
    return f'{json.dumps(head, allow_nan=False)[:-1]}, "rows": [\n{lines}\n]}}\n'


def about(capture: Capture) -> dict[str, object]:
    """Say in JSON which capture a table is of."""
    facts, graph = capture.about, capture.graph
    return {
        "target": facts.target,
        "arguments": list(facts.arguments),
        "expression": facts.expression,
        "created": facts.created,
        "place": asdict(facts.place) if facts.place else None,
        "call": facts.call,
        "number": facts.number,
        "backward": facts.backward.value,
        "partial": facts.partial,
        "nodes": len(graph),
        "edges": graph.edge_count,
        "leaves": len(graph.leaf_table.node),
    }


def share(part: float) -> str:
    """Write a share in percent, never rounded to all or none; nothing for NaN."""
    if math.isnan(part) or part in {0.0, 1.0}:
        return "" if math.isnan(part) else f"{part:.0%}"
    return f"{min(max(part, 0.001), 0.999):.1%}"


def number(value: object) -> object:
    """Give a number as strict JSON has it: NaN and infinities as strings, complex as a pair."""
    if isinstance(value, complex):
        return [number(value.real), number(value.imag)] if value.imag else number(value.real)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value
