"""An outline as text: rails, one line per node, a chain never indented."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.outline import Gap, LeafUse, Outline, Reference, Row, Why
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Kind, Spec
from autograd_inspect.renderers.text import (
    Glyphs,
    Origins,
    Segment,
    counted,
    glyphs,
    gradient,
    label_of,
    paint,
    safe,
    sign_of,
    telling_scalars,
    width_of,
)

#: Columns are made to fit this many lines; the widths of a longer outline are a guess that holds.
_MEASURED_LINES = 2000
#: Of the rows, those that may be too wide for a column when room is short.
_OUTLIERS = 0.08
#: Of the lines, those that may go on in the next one before all lines say less.
_OVERLONG = 0.08
#: More inputs than this are counted where the terminal is no wider than a screen.
_FEW = 4
#: Side branches inside of side branches are drawn as rails this deep, then counted.
_DEEPEST = 8

_NAMED_KINDS = {Kind.CUSTOM, Kind.COMPILED, Kind.CHECKPOINT, Kind.INPLACE, Kind.HOOK}


def render(
    outline: Outline,
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Draw an outline, for a terminal `width` columns wide or, with None, for a file or pipe.

    Nothing is cut: what does not fit goes on in the next line.
    """
    return "".join(
        f"{line}\n" for line in draw_lines(outline, width=width, color=color, ascii=ascii)
    )


def draw_lines(
    outline: Outline,
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> Iterator[str]:
    """Draw line by line, so that a million of them need not be held at once."""
    pen = _fit(outline, width, glyphs(ascii=ascii))
    for line in outline:
        for segments in pen.draw(line):
            yield paint(segments, color=color)


def _fit(outline: Outline, width: int | None, signs: Glyphs) -> _Pen:
    """Choose the fullest way to write in which the lines fit, and the columns for it."""
    sample = list(itertools.islice(outline, _MEASURED_LINES))
    tried: list[tuple[float, _Pen]] = []
    for pen in _pens(outline, width, signs, sample):
        tried.append((sum(map(pen.effort, sample)), pen))
        if tried[-1][0] <= len(sample):
            break
    enough = min(effort for effort, _ in tried) + int(_OVERLONG * len(sample))
    return next(pen for effort, pen in tried if effort <= enough)


def _pens(
    outline: Outline, width: int | None, signs: Glyphs, sample: Sequence[Row | Gap]
) -> Iterator[_Pen]:
    """Give the ways to write, the fullest first; each with columns for all rows, then for most.

    Where nothing limits the width there is but the fullest.
    """
    graph = outline.capture.graph
    origins = Origins(graph)
    for detail in dict.fromkeys(detail.told(graph, origins) for detail in _DETAILS):
        pen = _Pen(signs, width, origins, detail)
        yield pen.aligned(sample, outliers=0.0)
        if width is None:
            return
        yield pen.aligned(sample, outliers=_OUTLIERS)


@dataclass(frozen=True, slots=True)
class _Detail:
    """What is written of each row.

    short    leaves without what the module's path says already
    classes  the class behind a module's path
    single   leaves one by one, otherwise those of a module together
    gradients  what arrived at each row, in a column
    norms    the gradients of absorbed leaves
    views    how many views were left out
    modules  the module, and which call of it
    lines    the source line
    files    the file before it, which goes without saying where all lines are in one
    """

    short: bool = False
    classes: bool = True
    single: bool = True
    gradients: bool = True
    norms: bool = True
    views: bool = True
    modules: bool = True
    lines: bool = True
    files: bool = True

    def told(self, graph: Graph, origins: Origins) -> _Detail:
        """Give what is different for this graph: what was not recorded cannot be left out."""
        return replace(
            self,
            short=self.short and bool(graph.modules),
            classes=self.classes or not graph.modules,
            modules=self.modules or not graph.modules,
            lines=self.lines or not graph.places,
            files=self.files or not origins.in_one_file,
            gradients=len(graph.passed_table.norm) > 0,
        )


_TERSE = _Detail(short=True, classes=False, single=False, norms=False, views=False)
#: What a narrow terminal goes without, step by step.
_DETAILS = (
    _Detail(),
    _Detail(short=True),
    _Detail(short=True, classes=False),
    _Detail(short=True, classes=False, single=False),
    _Detail(short=True, classes=False, single=False, norms=False),
    _TERSE,
    replace(_TERSE, files=False),
    replace(_TERSE, short=False, modules=False),
    replace(_TERSE, short=False, modules=False, files=False),
    replace(_TERSE, lines=False),
    replace(_TERSE, short=False, modules=False, lines=False),
)


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws rows: a label, then columns, then what is different from row to row."""

    signs: Glyphs
    width: int | None
    origins: Origins
    detail: _Detail
    label_column: int = 0
    columns: tuple[int, ...] = (0, 0, 0, 0)

    def aligned(self, sample: Sequence[Row | Gap], *, outliers: float) -> _Pen:
        """Give the same pen with columns as wide as rows need, but for a share of outliers."""
        rows = [line for line in sample if isinstance(line, Row)]
        labels = [width_of(self._rails(row)) + width_of(self._label(row)) for row in rows]
        columns = zip(*(map(width_of, self._columns(row)) for row in rows), strict=True)
        most = (self.width or 160) // 2
        return replace(
            self,
            label_column=_column(labels, most, outliers),
            columns=tuple(_column(sizes, most, outliers) for sizes in columns),
        )

    def effort(self, line: Row | Gap) -> float:
        """Say how much there is to read: lines, and half a one for a line out of its columns."""
        lines, aligned = self._written(line)
        return len(lines) if aligned else len(lines) + 0.5

    def draw(self, line: Row | Gap) -> list[list[Segment]]:
        """Draw one line; more than one where the terminal is too narrow."""
        return self._written(line)[0]

    def _written(self, line: Row | Gap) -> tuple[list[list[Segment]], bool]:
        """Write a line, and say whether it keeps to the columns."""
        if isinstance(line, Gap):
            head: list[Segment] = [*self._levels(line.indent), (self._gap(line), "bold")]
            which: list[Segment] = [(self._repeats(line), "bold")] if line.calls else []
            return self._flow(line, head, [which] if which else []), True
        head = [*self._rails(line), *self._label(line)]
        own = width_of(head)
        head.append((" " * (self.label_column - own), ""))
        columns, details = self._columns(line), self._details(line)
        padded = [
            [*column, (" " * (size - width_of(column)), "")]
            for column, size in zip(columns, self.columns, strict=True)
            if size
        ]
        aligned = self._flow(line, head, [*padded, *details])
        if len(aligned) == 1:
            return aligned, own <= self.label_column
        close = self._flow(line, head, [part for part in (*columns, *details) if width_of(part)])
        return (close, False) if len(close) < len(aligned) else (aligned, True)

    def _flow(
        self, line: Row | Gap, head: list[Segment], parts: list[list[Segment]]
    ) -> list[list[Segment]]:
        """Set the parts side by side, in a new line where the terminal ends."""
        lines = [list(head)]
        used = width_of(head)
        for part in parts:
            trimmed = width_of([(text.rstrip(), style) for text, style in part])
            if not trimmed and len(lines) > 1:
                continue
            if self.width is not None and trimmed and used + 2 + trimmed > self.width:
                lines.append([*self._levels(line.indent), ("    ", "")])
                used = width_of(lines[-1]) - 2
            lines[-1] += [("  ", ""), *part]
            used += 2 + width_of(part)
        return lines

    def _levels(self, indent: int) -> list[Segment]:
        """Draw the rails of the side branches around a row, or their number where too many."""
        if indent <= _DEEPEST:
            return [(self.signs.rail * indent, "dim")]
        return [(self.signs.rail * 2, "dim"), (f"+{indent - 2} levels ", "dim")]

    def _rails(self, row: Row) -> list[Segment]:
        rails = self._levels(row.indent - row.opens)
        if row.opens:
            rails.append((self.signs.branch, "dim"))
        return [*rails, sign_of(row.node, self.signs)]

    def _label(self, row: Row) -> list[Segment]:
        label = label_of(row.node, self.signs)
        if row.shared and not row.leaf:
            label.append((f" #{row.node.index}", "yellow"))
        if row.uses > 1:
            label.append((f" {self.signs.times}{row.uses}", "yellow"))
        return label

    def _columns(self, row: Row) -> list[list[Segment]]:
        """Write what lines up: the shape, the module, the source line, the gradient."""
        node = row.node
        arrived = self._gradient(row) if self.detail.gradients else []
        return [self._shape(row), self._module(node), self._place(node), arrived]

    def _gradient(self, row: Row) -> list[Segment]:
        return [] if row.norm is None else [gradient(row.norm, self.signs)]

    def _module(self, node: Node) -> list[Segment]:
        if not self.detail.modules:
            return []
        call = int(node.graph.node_table.call[node.index])
        return self.origins.module_cell(call, self.signs, classes=self.detail.classes)

    def _place(self, node: Node) -> list[Segment]:
        if not self.detail.lines:
            return []
        place = self.origins.place_of_stack(int(node.graph.node_table.stack[node.index]))
        if not self.detail.files:
            place = place[place.rfind(":") :]
        return [(self._safe(place), "dim")]

    def _shape(self, row: Row) -> list[Segment]:
        """Write the outputs' shapes, equal ones in a row as one with its number."""
        texts = []
        for spec, same in itertools.groupby(row.node.outputs):
            number = len(list(same))
            many = f" {self.signs.times}{number}" if number > 1 else ""
            texts.append(self._spec(spec) + many)
        return [(self._few(texts, ", "), "cyan")]

    def _spec(self, spec: Spec | None) -> str:
        return self._safe(str(spec)) if spec else "?"

    def _details(self, row: Row) -> list[list[Segment]]:
        parts: list[list[Segment]] = []
        if row.output:
            parts.append([(f"output {row.output} of {len(row.node.outputs)}", "dim")])
        if row.node.kind in _NAMED_KINDS:
            parts.append([(row.node.kind.label, "yellow")])
        scalars = self._scalars(row.node)
        if scalars:
            parts.append([(scalars, "")])
        if row.leaf:
            parts.append([] if self.detail.gradients else self._gradient(row))
            parts.append([] if row.leaf.requires_grad else [("requires_grad=False", "yellow")])
        parts += self._leaves(row)
        parts += self._references(row.inputs.references)
        if row.inputs.views and self.detail.views:
            parts.append([(counted(row.inputs.views, "view"), "dim")])
        if row.inputs.deeper:
            text = counted(row.inputs.deeper, "input")
            parts.append([(f"{self.signs.ellipsis} {text} deeper", "bold")])
        return [part for part in parts if part]

    def _scalars(self, node: Node) -> str:
        graph = node.graph
        attributes = graph.attributes[int(graph.node_table.attributes[node.index])]
        return self._safe(self._few(telling_scalars(attributes), " "))

    def _norm(self, leaf: LeafUse) -> list[Segment]:
        if leaf.norm is None:
            return []
        text, style = gradient(leaf.norm, self.signs)
        return [(f" {text}", style)]

    def _leaves(self, row: Row) -> list[list[Segment]]:
        """Write absorbed leaves: one by one, or those of one module together."""
        leaves = [(*self._parted(row, leaf.name), leaf) for leaf in row.inputs.leaves]
        if self.detail.single:
            groups = [("", [(f"{module}{name}", leaf)]) for module, name, leaf in leaves]
        else:
            groups = [
                (module, [(name, leaf) for _, name, leaf in group])
                for module, group in itertools.groupby(leaves, key=lambda parts: parts[0])
            ]
        few = groups if self.width is None else groups[:_FEW]
        parts = [self._leaf_group(*group) for group in few]
        if len(groups) > len(few):
            parts.append([(f"and {len(groups) - len(few):,} more", "magenta")])
        return parts

    def _parted(self, row: Row, leaf: str) -> tuple[str, str]:
        """Part a leaf's name into the module's path and the rest, as far as they are shown."""
        if self.detail.short:
            call = int(row.node.graph.node_table.call[row.node.index])
            leaf = leaf.removeprefix(f"{self.origins.module_of_call(call)[2]}.")
        module, dot, name = leaf.rpartition(".")
        return module + dot, name

    def _leaf_group(self, module: str, leaves: list[tuple[str, LeafUse]]) -> list[Segment]:
        braces = len(leaves) > 1
        segments: list[Segment] = [(f"{self.signs.leaf} {self._safe(module)}", "magenta")]
        if braces:
            segments.append(("{", "magenta"))
        for at, (name, leaf) in enumerate(leaves):
            comma = ", " if at else ""
            segments.append((comma + (self._safe(name) or self._spec(leaf.spec)), "magenta"))
            if leaf.uses > 1:
                segments.append((f" {self.signs.times}{leaf.uses}", "yellow"))
            if self.detail.norms:
                segments += self._norm(leaf)
        if braces:
            segments.append(("}", "magenta"))
        return segments

    def _references(self, references: Sequence[Reference]) -> list[list[Segment]]:
        few = references if self.width is None else references[:_FEW]
        parts = [[(self._reference(reference), "yellow")] for reference in few]
        if len(references) > len(few):
            parts.append([(f"and {len(references) - len(few):,} more", "yellow")])
        return parts

    def _reference(self, reference: Reference) -> str:
        node, leaf = reference.node, reference.leaf
        if leaf and leaf.name:
            return f"{self.signs.below} {self._safe(leaf.name)}"
        output = f" output {reference.output}" if reference.output else ""
        return f"{self.signs.below} #{node.index} {self._safe(node.title)}{output}"

    def _few(self, texts: Sequence[str], joint: str) -> str:
        few = len(texts) if self.width is None else _FEW
        more = [f"and {len(texts) - few:,} more"] if len(texts) > few else []
        return joint.join([*texts[:few], *more])

    def _gap(self, gap: Gap) -> str:
        nodes = counted(gap.nodes, "node")
        if gap.why is Why.REPEATED:
            what = "row" if gap.span == 1 else f"{gap.span:,} rows"
            often = "once more" if gap.times == 1 else f"{gap.times:,} more times"
            return f"{self.signs.repeat} the {what} above {often} ({nodes})"
        if gap.why is Why.CUT:
            rows = counted(gap.rows, "row")
            return f"{self.signs.ellipsis} {rows} ({nodes}) not shown: --all, or --depth N"
        return f"{self.signs.ellipsis} {nodes} deeper than the limit not shown"

    def _repeats(self, gap: Gap) -> str:
        calls = [self._safe(self.origins.call(row)) for row in gap.calls]
        if len(calls) == gap.times:
            return ", ".join(calls)
        return f" {self.signs.ellipsis} ".join(calls)

    def _safe(self, text: str) -> str:
        return safe(text, ascii=self.signs.rail.isascii())


def _column(sizes: Sequence[int], most: int, outliers: float) -> int:
    """Choose a column's width, at most `most`, that but a share of outliers fits into."""
    fitting = sorted(size for size in sizes if size <= most)
    return fitting[len(fitting) - 1 - int(outliers * len(fitting))] if fitting else 0
