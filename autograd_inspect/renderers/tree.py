"""An outline as text: rails, one line per node, a chain never indented."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograd_inspect.model.outline import Gap, LeafUse, Outline, Reference, Row, Why
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Kind, Spec
from autograd_inspect.renderers.text import (
    Glyphs,
    Segment,
    counted,
    figure,
    glyphs,
    paint,
    safe,
    telling_scalars,
    width_of,
)

#: Columns are made to fit this many lines; the widths of a longer outline are a guess that holds.
_MEASURED_LINES = 2000
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
    """Choose the fullest way to write leaves in which the lines fit, and the columns for it."""
    sample = list(itertools.islice(outline, _MEASURED_LINES))
    pens = [_Pen(signs, width, fullness).aligned(sample) for fullness in (3, 2, 1, 0)]
    return min(pens, key=lambda pen: sum(len(pen.draw(line)) for line in sample))


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws rows.

    fullness  3: leaves one by one, 2: those of a module together, 1: without their norms,
              0: without a count of the views left out
    """

    signs: Glyphs
    width: int | None
    fullness: int
    label_column: int = 0
    shape_column: int = 0

    def aligned(self, sample: Sequence[Row | Gap]) -> _Pen:
        """Give the same pen with columns as wide as most rows need."""
        rows = [line for line in sample if isinstance(line, Row)]
        most = (self.width or 160) // 2
        labels = [width_of(self._rails(row)) + width_of(self._label(row)) for row in rows]
        shapes = [width_of(self._shape(row)) for row in rows]
        return _Pen(
            self.signs,
            self.width,
            self.fullness,
            max((size for size in labels if size <= most), default=0),
            max((size for size in shapes if size <= most // 2), default=0),
        )

    def draw(self, line: Row | Gap) -> list[list[Segment]]:
        """Draw one line; more than one where the terminal is too narrow."""
        if isinstance(line, Gap):
            return [[*self._levels(line.indent), (self._gap(line), "bold")]]
        head = self._rails(line) + self._label(line)
        head.append((" " * (self.label_column - width_of(head)), ""))
        shape, details = self._shape(line), self._details(line)
        padding = (" " * (self.shape_column - width_of(shape)), "")
        aligned = self._flow(line, head, [[*shape, padding], *details])
        return aligned if len(aligned) == 1 else self._flow(line, head, [shape, *details])

    def _flow(
        self, row: Row, head: list[Segment], parts: list[list[Segment]]
    ) -> list[list[Segment]]:
        """Set the parts side by side, in a new line where the terminal ends."""
        lines = [list(head)]
        used = width_of(head)
        for part in parts:
            trimmed = width_of([(text.rstrip(), style) for text, style in part])
            if self.width is not None and trimmed and used + 2 + trimmed > self.width:
                lines.append([*self._levels(row.indent), ("    ", "")])
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
        sign, style = self._sign(row)
        return [*rails, (f"{sign} ", style)]

    def _sign(self, row: Row) -> tuple[str, str]:
        if row.roots:
            return self.signs.root, "bold green"
        if row.leaf:
            return self.signs.leaf, "magenta"
        if row.node.kind is Kind.VIEW:
            return self.signs.view, "dim"
        return self.signs.node, "yellow" if row.node.kind is Kind.CUSTOM else ""

    def _label(self, row: Row) -> list[Segment]:
        label = [(self._safe(row.node.op), "dim" if row.node.kind is Kind.VIEW else "")]
        for root in row.roots:
            if root.name:
                label.append((f" {self._safe(root.name)}", "bold green"))
            if root.output:
                label.append((f" (output {root.output} of {len(row.node.outputs)})", "green"))
        if row.leaf and row.leaf.name:
            label.append((f" {self._safe(row.leaf.name)}", "magenta"))
        if row.shared and not row.leaf:
            label.append((f" #{row.node.index}", "yellow"))
        if row.uses > 1:
            label.append((f" {self.signs.times}{row.uses}", "yellow"))
        return label

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
            parts.append(self._leaf_facts(row.leaf))
        parts += self._leaves(row.inputs.leaves)
        parts += self._references(row.inputs.references)
        if row.inputs.views and self.fullness:
            parts.append([(counted(row.inputs.views, "view"), "dim")])
        if row.inputs.deeper:
            text = counted(row.inputs.deeper, "input")
            parts.append([(f"{self.signs.ellipsis} {text} deeper", "bold")])
        return [part for part in parts if part]

    def _scalars(self, node: Node) -> str:
        graph = node.graph
        attributes = graph.attributes[int(graph.node_table.attributes[node.index])]
        return self._safe(self._few(telling_scalars(attributes), " "))

    def _leaf_facts(self, leaf: LeafUse) -> list[Segment]:
        facts = self._norm(leaf)
        if not leaf.requires_grad:
            facts.append((" requires_grad=False", "yellow"))
        return [
            (text.lstrip() if at == 0 else text, style) for at, (text, style) in enumerate(facts)
        ]

    def _norm(self, leaf: LeafUse) -> list[Segment]:
        if leaf.norm is None:
            return []
        odd = leaf.norm != leaf.norm or leaf.norm in (0, float("inf"))
        sign = f" {self.signs.gradient}{' ' if len(self.signs.gradient) > 1 else ''}"
        return [(f"{sign}{figure(leaf.norm)}", "bold red" if odd else "dim")]

    def _leaves(self, leaves: Sequence[LeafUse]) -> list[list[Segment]]:
        """Write absorbed leaves: one by one, or those of one module together."""
        if self.fullness == 3:
            groups = [("", [leaf]) for leaf in leaves]
        else:
            groups = [
                (module, list(group)) for module, group in itertools.groupby(leaves, key=_module)
            ]
        few = groups if self.width is None else groups[:_FEW]
        parts = [self._leaf_group(*group) for group in few]
        if len(groups) > len(few):
            parts.append([(f"and {len(groups) - len(few):,} more", "magenta")])
        return parts

    def _leaf_group(self, module: str, leaves: list[LeafUse]) -> list[Segment]:
        braces = len(leaves) > 1
        segments: list[Segment] = [(f"{self.signs.leaf} ", "magenta")]
        if module:
            segments.append((f"{self._safe(module)}.", "magenta"))
        if braces:
            segments.append(("{", "magenta"))
        for at, leaf in enumerate(leaves):
            name = leaf.name.removeprefix(f"{module}.") if module else leaf.name
            comma = ", " if at else ""
            segments.append((comma + (self._safe(name) or self._spec(leaf.spec)), "magenta"))
            if leaf.uses > 1:
                segments.append((f" {self.signs.times}{leaf.uses}", "yellow"))
            if self.fullness > 1:
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
        return f"{self.signs.below} #{node.index} {self._safe(node.op)}{output}"

    def _few(self, texts: Sequence[str], joint: str) -> str:
        if self.width is None or len(texts) <= _FEW:
            return joint.join(texts)
        return joint.join([*texts[:_FEW], f"and {len(texts) - _FEW:,} more"])

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

    def _safe(self, text: str) -> str:
        return safe(text, ascii=self.signs.rail.isascii())


def _module(leaf: LeafUse) -> str:
    return leaf.name.rpartition(".")[0]
