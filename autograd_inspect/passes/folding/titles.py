"""What folds are called: `attn (Attention)`, `view → mm → view`, a loop with its turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import overload

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.places import Module
from autograd_inspect.model.tables import Kind
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.nesting import Nesting
from autograd_inspect.passes.folding.spans import Spans
from autograd_inspect.passes.part import TIMES

_ARROW = " \N{RIGHTWARDS ARROW} "
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
#: Of a longer chain, or of a loop with more parts, only the first and the last are told.
_FEW = 3


class Titles(Sequence[str]):
    """The title of each span, made when it is asked for."""

    def __init__(self, rows: Rows, spans: Spans, nesting: Nesting) -> None:
        self._graph, self._node = rows.graph, rows.node
        self._spans, self._nesting = spans, nesting
        self._known: dict[int, str] = {}

    def __len__(self) -> int:
        """Count the spans."""
        return len(self._spans)

    @overload
    def __getitem__(self, span: int) -> str: ...

    @overload
    def __getitem__(self, span: slice) -> Sequence[str]: ...

    def __getitem__(self, span: int | slice) -> str | Sequence[str]:
        if isinstance(span, slice):
            return tuple(self[one] for one in range(*span.indices(len(self))))
        number = range(len(self))[span]
        if number not in self._known:
            self._known[number] = self._title(number)
        return self._known[number]

    def _title(self, span: int) -> str:
        match self._spans.kind[span]:
            case FoldKind.MODULE:
                return _with_class(self._name(span), self._module(span).cls) + self._number(span)
            case FoldKind.REPEAT:
                return self._repeat_title(span)
        return self._body(span)

    def _repeat_title(self, span: int) -> str:
        first, stop, length = self._instance(span)
        only = self._part_at(span, first)
        if only < 0 or self._spans.kind[only] != FoldKind.MODULE or self._stop(only) < stop:
            return self._repeated(span)
        last = self._part_at(span, self._stop(span) - length)
        names = dict.fromkeys([self._name(only), self._name(last)])
        name = f" {_ELLIPSIS} ".join(names)
        return f"{_with_class(name, self._module(only).cls)} {self._times(span)}"

    def _repeated(self, span: int) -> str:
        body = self._body(span)
        several = _ARROW in body and len(list(islice(self._words(span), 2))) > 1
        return f"({body}) {self._times(span)}" if several else f"{body} {self._times(span)}"

    def _times(self, span: int) -> str:
        return f"{TIMES}{int(self._spans.times[span]):,}"

    def _body(self, span: int) -> str:
        """Write the parts of a loop or chain in a row, of many the ends and the number."""
        words = list(islice(self._words(span), _FEW + 1))
        if len(words) <= _FEW:
            return _ARROW.join(words)
        first, stop, length = self._instance(span)
        ends = self._word_at(span, first), self._word_at(span, stop - 1)
        return f"{_ARROW.join([ends[0], _ELLIPSIS, ends[1]])} ({length:,} operations)"

    def _words(self, span: int) -> Iterator[str]:
        row, stop, _ = self._instance(span)
        while row < stop:
            part = self._part_at(span, row)
            kind = self._spans.kind[part] if part >= 0 else None
            end = self._stop(part) if part >= 0 else row + 1
            if kind == FoldKind.MODULE:
                yield self._module(part).cls
            elif kind == FoldKind.REPEAT:
                yield self._repeated(part)
            else:
                yield from map(self._op, range(row, end))
            row = end

    def _word_at(self, span: int, row: int) -> str:
        """Name the outermost module in a span that a row is in, or what the row does."""
        word, around = self._op(row), int(self._nesting.around[row])
        while around != span:
            if self._spans.kind[around] == FoldKind.MODULE:
                word = self._module(around).cls
            around = int(self._nesting.parent[around])
        return word

    def _instance(self, span: int) -> tuple[int, int, int]:
        """Give the first row of a loop's first instance, the row after its last, and its length."""
        first = int(self._spans.first[span])
        length = (self._stop(span) - first) // int(self._spans.times[span])
        return first, first + length, length

    def _stop(self, span: int) -> int:
        return int(self._spans.stop[span])

    def _part_at(self, span: int, row: int) -> int:
        """Give the span directly in another that begins at a row, -1 for none."""
        first = self._spans.first
        part = span + 1 if row == first[span] else int(first.searchsorted(row))
        here = part < len(first) and first[part] == row and self._nesting.parent[part] == span
        return part if here else -1

    def _op(self, row: int) -> str:
        table, node = self._graph.node_table, self._node[row]
        return forward_name(self._graph.ops[table.op[node]], Kind(table.kind[node]))

    def _module(self, span: int) -> Module:
        return self._graph.modules[int(self._graph.call_table.module[self._spans.call[span]])]

    def _name(self, span: int) -> str:
        """Name a module as seen from the one around it."""
        module, outer = self._module(span), int(self._nesting.parent[span])
        while outer >= 0 and self._spans.kind[outer] != FoldKind.MODULE:
            outer = int(self._nesting.parent[outer])
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
        table, call = self._graph.call_table, int(self._spans.call[span])
        times = self._graph.calls_of[int(table.module[call])]
        return f", call {table.number[call]:,} of {times:,}" if times > 1 else ""


def _with_class(name: str, cls: str) -> str:
    return name if name == cls else f"{name} ({cls})"
