"""What the page knows of a folded graph, as columns and texts; `data.js` makes tables of them.

Columns are named TABLE.COLUMN. Those of `rows`, `folds`, `arrows`, `uses` are the ones of
`model.folds.Folds`; texts are numbers into `strings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_inspect.layout.palette import DARK, FONTS, LIGHT, Palette
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Figures, Folds, Opening
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.tables import Kind, Longs
from autograd_inspect.model.view import Role
from autograd_inspect.renderers.births import lines_of
from autograd_inspect.renderers.text import Origins, telling_scalars
from autograd_inspect.renderers.viewer.holdings import leaf_columns, saved_columns
from autograd_inspect.renderers.viewer.packing import Column, Rising, pack
from autograd_inspect.renderers.viewer.words import Words, alike

_ROLES = {
    Kind.VIEW: Role.VIEW,
    Kind.INPLACE: Role.VIEW,
    Kind.CUSTOM: Role.CUSTOM,
    Kind.COMPILED: Role.CUSTOM,
    Kind.CHECKPOINT: Role.CUSTOM,
    Kind.HOOK: Role.CUSTOM,
}
_HEATS = {"kind": "kind", "memory": "saved", "time": "time", "grad": "gradient"}
_MOST_FINDINGS = 500

Columns = dict[str, Column | Rising]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What a page shows: a folded capture, and how it looks when it is opened.

    opening  which folds are open
    trouble  the first gradient that is not finite
    color    what colours stand for, as the other pictures call it
    reverse  the root is on top
    """

    capture: Capture
    folds: Folds
    opening: Opening
    trouble: NonFinite | None = None
    color: str = "kind"
    reverse: bool = False


def packed(page: Page) -> bytes:
    """Pack all that the page knows."""
    capture, folds, opening = page.capture, page.folds, page.opening
    words = Words()
    columns: Columns = {
        **_rows(folds, words),
        **_folds(folds, words),
        **_arrows(folds),
        **saved_columns(folds, words),
        **leaf_columns(folds, capture.gradients, words),
    }
    facts = {
        **_about(capture, folds),
        "opening": {
            "folds": sorted(opening.folds),
            "shown": [[fold, number] for fold, number in sorted(opening.shown.items())],
        },
        "roots": _roots(folds, words),
        "stacks": _stacks(folds, words),
        "findings": list(_findings(folds, page.trouble, words)),
        "heat": _HEATS[page.color],
        "reverse": page.reverse,
        "palettes": {"light": _palette(LIGHT), "dark": _palette(DARK)},
        "fonts": FONTS,
        "strings": words.all(),
    }
    return pack(facts, columns)


def _about(capture: Capture, folds: Folds) -> dict[str, Any]:
    about, graph = capture.about, capture.graph
    notes = [
        f"{folds.omitted:,} nodes left out" if folds.omitted else "",
        f"partial: {about.partial}" if about.partial else "",
        f"backward raised: {about.error}" if about.error else "",
        *about.notes,
    ]
    return {
        "title": about.source,
        "size": [len(graph), graph.edge_count, len(graph.leaf_table.node)],
        "place": str(about.place) if about.place else "",
        "call": f"{about.call}, call {about.number}" if about.call else "",
        "created": about.created,
        "versions": dict(about.versions),
        "notes": [note for note in notes if note],
        "timed": "forward and backward" if about.profile is not None else "backward, under probes",
        "whole": {name: float(values[0]) for name, values in _figures(folds.whole)
                  if np.isfinite(values[0])},
    }  # fmt: skip


def _rows(folds: Folds, words: Words) -> Columns:
    graph, node = folds.graph, folds.node
    table = graph.node_table
    origins = Origins(graph)
    first, face = alike(table.op[node], table.kind[node], table.attributes[node])
    kinds = [Kind(kind) for kind in table.kind[node[first]].tolist()]
    titles = [
        forward_name(graph.ops[op], kind)
        for op, kind in zip(table.op[node[first]].tolist(), kinds, strict=True)
    ]
    scalars = [
        ", ".join(telling_scalars(graph.attributes[row]))
        for row in table.attributes[node[first]].tolist()
    ]
    return {
        "rows.node": Rising(node),
        "rows.fold": Rising(folds.fold),
        "rows.face": face,
        "faces.title": words.column(titles),
        "faces.op": words.column(graph.ops[op] for op in table.op[node[first]].tolist()),
        "faces.scalars": words.column(scalars),
        "faces.kind": words.column(kind.label for kind in kinds),
        "faces.role": words.column(_ROLES.get(kind, Role.OPERATION).value for kind in kinds),
        "rows.shape": _shapes(folds, words),
        "rows.variable": words.of_rows(table.variable[node], graph.name),
        "rows.stack": table.stack[node],
        "rows.place": words.of_rows(table.stack[node], origins.place_of_stack),
        "rows.unfed": _unfed(folds),
        **_measured(folds),
        **{f"rows.{name}": values for name, values in _figures(folds.of_rows)},
    }


def _figures(figures: Figures) -> Iterator[tuple[str, Longs | Column]]:
    for name in ("nodes", "leaves", "saved", "spent", "norm"):
        yield name, getattr(figures, name)


def _shapes(folds: Folds, words: Words) -> Column:
    """Give the number of the text of what each row puts out; nearly all put out one tensor."""
    graph, node = folds.graph, folds.node
    start, spec = graph.output_table.start, graph.output_table.spec
    count = start[node + 1] - start[node]
    texts = np.array([words.number(str(one)) for one in graph.specs] + [0], np.int64)
    first = np.append(spec, -1)[np.minimum(start[node], len(spec))]
    shapes = np.where(count == 1, texts[first], 0)
    for row in np.flatnonzero(count > 1).tolist():
        outputs = spec[start[node[row]] : start[node[row] + 1]].tolist()
        told: dict[str, int] = {}
        for one in outputs:
            text = str(graph.specs[one]) if one >= 0 else "?"
            told[text] = told.get(text, 0) + 1
        parts = [
            f"{text} \N{MULTIPLICATION SIGN}{n}" if n > 1 else text for text, n in told.items()
        ]
        more = f", and {len(parts) - 3} more" if len(parts) > 4 else ""
        shapes[row] = words.number(", ".join(parts[:3] if more else parts) + more)
    return shapes


def _unfed(folds: Folds) -> Column:
    """Count the inputs of each row that needed no gradient."""
    edges = folds.graph.edge_table
    before = np.append(0, np.cumsum(edges.target < 0))
    found: Column = before[edges.start[folds.node + 1]] - before[edges.start[folds.node]]
    return found


def _measured(folds: Folds) -> Columns:
    """Give what a full probe saw of what arrived at each row: its largest element, and odd ones."""
    graph, node = folds.graph, folds.node
    table, passed = graph.output_table, graph.passed_table
    several = np.diff(table.start) > 1
    arrived = np.append(table.arrived, -1)[np.minimum(table.start[node], len(table.arrived))]
    # Of several outputs there is no one largest element to tell.
    arrived = np.where(several[node], -1, arrived)
    return {
        "rows.most": np.append(passed.max, np.nan)[arrived],
        "rows.zeros": np.append(passed.zeros, -1)[arrived],
        "rows.nan": np.append(passed.nan, 0)[arrived],
        "rows.inf": np.append(passed.inf, 0)[arrived],
        "rows.count": np.append(passed.count, -1)[arrived],
    }


def _folds(folds: Folds, words: Words) -> Columns:
    graph, table = folds.graph, folds.table
    number = np.arange(len(table.kind))
    module = np.append(graph.call_table.module, -1)[table.call]
    return {
        "folds.kind": table.kind,
        "folds.outwards": np.where(table.parent < 0, 0, number - table.parent),
        "folds.first": Rising(table.first),
        "folds.rows": table.stop - table.first,
        "folds.times": table.times,
        "folds.like": table.like,
        "folds.title": words.column(folds.titles),
        "folds.module": words.of_rows(
            module, lambda row: graph.modules[row].full_name if row >= 0 else ""
        ),
        "folds.class": words.of_rows(
            module, lambda row: graph.modules[row].cls if row >= 0 else ""
        ),
        **{f"folds.{name}": values for name, values in _figures(folds.of_folds)},
    }


def _arrows(folds: Folds) -> Columns:
    arrows = folds.arrows
    return {
        "arrows.source": Rising(arrows.source),
        "arrows.reach": arrows.source - arrows.target,
        "arrows.output": arrows.output,
    }


def _roots(folds: Folds, words: Words) -> list[list[int]]:
    """List the rows whose outputs were traced, with the names of these."""
    graph = folds.graph
    return [
        [int(folds.row[root.node.index]), words.number(root.name)]
        for root in graph.roots
        if folds.row[root.node.index] >= 0
    ]


def _stacks(folds: Folds, words: Words) -> list[list[int]]:
    """Write the lines of each stack, innermost first."""
    graph = folds.graph
    return [
        [words.number(str(graph.places[line])) for line in stack.lines] for stack in graph.stacks
    ]


def _findings(folds: Folds, trouble: NonFinite | None, words: Words) -> Iterator[list[int]]:
    """List what is wrong: the row, -1 for none, and the lines that say what."""
    graph = folds.graph
    origins = Origins(graph)
    if trouble is not None:
        row = int(folds.row[trouble.node.index])
        yield [row, *map(words.number, lines_of(trouble, origins))]
    saved = graph.saved_table
    for entry in np.flatnonzero(saved.stale)[:_MOST_FINDINGS].tolist():
        row, name = int(folds.row[saved.node[entry]]), graph.name(int(saved.name[entry]))
        yield [
            row,
            words.number(f"saved {name} has been overwritten in place: backward refuses it"),
        ]
    for cut in graph.cuts[:_MOST_FINDINGS]:
        rows = [int(folds.row[use.node.index]) for use in cut.uses if use.node]
        yield [next((row for row in rows if row >= 0), -1), words.number(origins.cut(cut))]


def _palette(palette: Palette) -> dict[str, Any]:
    return {
        "paper": palette.paper,
        "text": palette.text,
        "quiet": palette.quiet,
        "arrow": palette.arrow,
        "boxes": {role.value: palette.boxes[role] for role in Role},
        "frames": palette.frames,
        "line": palette.frame_line,
        "heat": [palette.heat[level] for level in sorted(palette.heat) if level >= 0],
        "zero": palette.heat[-2],
        "odd": palette.heat[-3],
    }
