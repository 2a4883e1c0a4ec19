"""What the pane beside the tree says of the thing under the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from autograd_inspect.analyses.details import Details, details_of
from autograd_inspect.model.rows import Saved
from autograd_inspect.passes.folding.reading import Reading, Thing
from autograd_inspect.renderers.items import Items
from autograd_inspect.renderers.text import Origins, counted, safe, size

#: So many ways lead on from a thing by a key.
WAYS = 9


class About:
    """Writes what is known of things."""

    def __init__(self, reading: Reading, items: Items) -> None:
        self._reading = reading
        self._items = items
        self._origins = Origins(reading.folds.graph)

    def ways(self, thing: Thing) -> list[int]:
        """Give the rows that lead on from a thing: who uses it, and what it uses."""
        users, inputs = self._reading.users(thing), self._reading.inputs(thing)
        shown = users[: max(WAYS - len(inputs[:WAYS]), WAYS // 2)]
        return [*shown, *inputs[: WAYS - len(shown)]]

    def text(self, thing: Thing) -> Text:
        """Write all of it."""
        first, stop = self._reading.span(thing)
        call = int(self._reading.folds.table.call[thing.fold]) if thing.fold >= 0 else -1
        details = details_of(self._reading.folds, first, stop, call)
        text = Text()
        for segment, style in self._items.label(thing.fold, thing.row):
            text.append(segment, f"bold {style}".strip())
        text.append("\n")
        for name, values in (
            *self._figures(thing),
            *self._origin(details),
            *self._uses(details),
            *self._ways(thing),
        ):
            if values:
                text.append(f"\n{name}", "bold dim")
            if len(values) == 1:
                text.append(f"  {safe(values[0])}")
            elif values:
                text.append("".join(f"\n  {safe(value)}" for value in values))
        return text

    def _figures(self, thing: Thing) -> Iterator[tuple[str, Sequence[str]]]:
        items, fold, row = self._items, thing.fold, thing.row
        yield "puts out", _known(items.cell("shape", fold, row)[0])
        if fold >= 0:
            figures = self._reading.folds.of_folds
            nodes, leaves = int(figures.nodes[fold]), int(figures.leaves[fold])
            count = f"{counted(nodes, 'node')}, {counted(leaves, 'leaf', 'leaves')}"
            yield "holds", (count,)
        else:
            yield "saved scalars", _known(items.scalars(row))
        yield "saved for backward", _known(items.cell("saved", fold, row)[0])
        yield "gradient norm", _known(items.cell("grad", fold, row)[0])
        yield "time", _known(items.cell("time", fold, row)[0])

    def _origin(self, details: Details) -> Iterator[tuple[str, Sequence[str]]]:
        if details.node >= 0:
            yield "node", (f"#{details.node} {details.op}",)
        if details.call is not None:
            module = details.call.module
            number = f", call {details.call.number:,} of {details.call.times:,}"
            name = module.full_name or module.cls
            yield "module", (f"{name} ({module.cls}){number if details.call.times > 1 else ''}",)
        yield "made at", [str(place) for place in details.lines]

    def _uses(self, details: Details) -> Iterator[tuple[str, Sequence[str]]]:
        saved = [self._saved(one) for one in details.saved]
        yield "saved tensors", _with_rest(saved, details.saved_number)
        leaves = [f"{leaf.name or 'leaf'} {leaf.spec or ''}".rstrip() for leaf in details.leaves]
        yield "leaves", _with_rest(leaves, details.leaves_number)
        yield "cut before it", [self._origins.cut(cut) for cut in details.cuts]

    def _saved(self, saved: Saved) -> str:
        words = [saved.name, str(saved.spec or ""), size(saved.bytes), saved.role.label]
        stale = "overwritten since" if saved.stale else ""
        return "  ".join(filter(None, (*words, saved.packer, stale)))

    def _ways(self, thing: Thing) -> Iterator[tuple[str, Sequence[str]]]:
        ways = self.ways(thing)
        stop = self._reading.span(thing)[1]
        users = sum(row >= stop for row in ways)
        named = [
            f"{number}  {self._items.name(-1, row)}" for number, row in enumerate(ways, start=1)
        ]
        yield "used by", _with_rest(named[:users], len(self._reading.users(thing)))
        yield "uses", _with_rest(named[users:], len(self._reading.inputs(thing)))


def _known(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _with_rest(told: Sequence[str], number: int) -> list[str]:
    rest = number - len(told)
    return [*told, *([f"and {rest:,} more"] if rest > 0 else [])]
