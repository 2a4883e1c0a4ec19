"""What folds are called: `attn (Attention)`, `h.0 … h.11 (Block) ×12`, `view → mm → view`."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.places import Module
from autograd_inspect.model.tables import Kind
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.spans import Spans
from autograd_inspect.passes.part import TIMES

_ARROW = " \N{RIGHTWARDS ARROW} "
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
#: Of a longer chain, or of a loop with more parts, only so many are told.
_FEW = 3


class Titles:
    """Titles of spans, and what makes two of them be of one kind."""

    def __init__(self, rows: Rows, spans: Spans) -> None:
        self._graph, self._spans = rows.graph, spans
        self._node = rows.node.tolist()
        self._parent = spans.parents(len(rows))[0].tolist()
        self._kind, self._first, self._stop, self._call, self._times = (
            column.tolist()
            for column in (spans.kind, spans.first, spans.stop, spans.call, spans.times)
        )
        self._at = {
            pair: span
            for span, pair in reversed([*enumerate(zip(self._parent, self._first, strict=True))])
        }
        self._title_of = {
            FoldKind.MODULE: self._module_title,
            FoldKind.REPEAT: self._repeat_title,
            FoldKind.CHAIN: lambda span: self._joined(self._rows_told(span)),
        }

    def titles(self) -> tuple[str, ...]:
        """Title each span."""
        return tuple(self._title_of[FoldKind(kind)](span) for span, kind in enumerate(self._kind))

    def likes(self) -> list[int]:
        """Number the kinds of spans: a kind has one class or body, and one depth."""
        numbers: dict[tuple[int, str], int] = {}
        depths: list[int] = []
        found: list[int] = []
        for span, parent in enumerate(self._parent):
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
            key = depths[-1], self._body(span)
            found.append(numbers.setdefault(key, len(numbers)))
        return found

    def _body(self, span: int) -> str:
        """Say what a span is, whatever its name and how often it comes."""
        match self._kind[span]:
            case FoldKind.MODULE:
                return f"module {self._module(span).cls}"
            case FoldKind.REPEAT:
                return f"repeat {self._joined(self._parts_told(span))}"
        return "chain"

    def _module_title(self, span: int) -> str:
        module = self._module(span)
        return _with_class(self._name(span), module.cls) + self._number(span)

    def _repeat_title(self, span: int) -> str:
        times = f"{TIMES}{self._times[span]:,}"
        parts = self._parts(span)
        only, more = next(parts), next(parts, None)
        if only < 0 or more is not None or self._kind[only] != FoldKind.MODULE:
            return f"{self._joined(self._parts_told(span))} {times}"
        period = (self._stop[span] - self._first[span]) // self._times[span]
        last = self._at[span, self._stop[span] - period]
        ends = [self._name(only), self._name(last)]
        name = f" {_ELLIPSIS} ".join(dict.fromkeys(ends))
        return f"{_with_class(name, self._module(only).cls)} {times}"

    def _parts(self, span: int) -> Iterator[int]:
        """Give what one instance of a repeat consists of: spans, and rows as ~row."""
        row = self._first[span]
        stop = row + (self._stop[span] - row) // self._times[span]
        while row < stop:
            part = self._at.get((span, row), -1)
            yield part if part >= 0 else ~row
            row = self._stop[part] if part >= 0 else row + 1

    def _parts_told(self, span: int) -> list[str]:
        return [self._op(~part) if part < 0 else self._short(part) for part in self._parts(span)]

    def _short(self, span: int) -> str:
        match self._kind[span]:
            case FoldKind.MODULE:
                return self._module(span).cls
            case FoldKind.REPEAT:
                inner = self._joined(self._parts_told(span))
                return f"({inner}) {TIMES}{self._times[span]:,}"
        return self._joined(self._rows_told(span))

    def _rows_told(self, span: int) -> list[str]:
        return [self._op(row) for row in range(self._first[span], self._stop[span])]

    def _joined(self, words: list[str]) -> str:
        """Write a few words in a row, of many the number."""
        if len(words) <= _FEW:
            return _ARROW.join(words)
        return f"{words[0]}{_ARROW}{_ELLIPSIS}{_ARROW}{words[-1]} ({len(words):,} operations)"

    def _op(self, row: int) -> str:
        table, node = self._graph.node_table, self._node[row]
        return forward_name(self._graph.ops[table.op[node]], Kind(table.kind[node]))

    def _module(self, span: int) -> Module:
        return self._graph.modules[int(self._graph.call_table.module[self._call[span]])]

    def _name(self, span: int) -> str:
        """Name a module as seen from the one around it."""
        module, outer = self._module(span), self._parent[span]
        while outer >= 0 and self._kind[outer] != FoldKind.MODULE:
            outer = self._parent[outer]
        name = self._graph.module_name(module)
        if outer < 0:
            return name
        around = self._module(outer)
        same = around.owner == module.owner and around.path != module.path
        prefix = f"{around.path}." if around.path else ""
        if same and module.path.startswith(prefix):
            return module.path[len(prefix) :]
        return name

    def _number(self, span: int) -> str:
        table, call = self._graph.call_table, self._call[span]
        times = self._graph.calls_of[int(table.module[call])]
        return f", call {table.number[call]:,} of {times:,}" if times > 1 else ""


def _with_class(name: str, cls: str) -> str:
    return name if name == cls else f"{name} ({cls})"
