"""What rows hold and use: saved tensors and leaves, as columns."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.folds import Folds
from autograd_inspect.model.gradients import Gradient, Gradients
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Saved
from autograd_inspect.model.tables import SavedRole, SavedState
from autograd_inspect.renderers.text import figure, percent
from autograd_inspect.renderers.viewer.packing import Column, Rising
from autograd_inspect.renderers.viewer.words import Words, alike


def saved_columns(folds: Folds, words: Words) -> dict[str, Column | Rising]:
    """Give the tensors that each row saves, one after the other, and the distinct kinds of them."""
    graph, table = folds.graph, folds.graph.saved_table
    row = folds.row[table.node]
    order = np.argsort(row, kind="stable")
    order = order[row[order] >= 0]
    storage = table.storage[order]
    times = np.bincount(table.storage[table.storage >= 0])
    shared = (storage >= 0) & (np.append(times, 0)[storage] > 1)
    first, kind = alike(
        *(
            column[order]
            for column in (table.name, table.spec, table.bytes, table.state, table.role)
        ),
        table.packer[order],
        np.where(table.stale[order], table.write[order] + 1, -1),
        shared.astype(np.uint8),
    )
    kinds = [Saved(graph, entry) for entry in order[first].tolist()]
    return {
        "rows.saves": np.bincount(row[order], minlength=len(folds)),
        "saved.kind": kind,
        "kept.name": words.column(one.name for one in kinds),
        "kept.spec": words.column(str(one.spec or "") for one in kinds),
        "kept.bytes": table.bytes[order[first]],
        "kept.note": words.column(
            _note(one, shared=is_shared)
            for one, is_shared in zip(kinds, shared[first].tolist(), strict=True)
        ),
    }


def _note(saved: Saved, *, shared: bool) -> str:
    words = [] if saved.role is SavedRole.UNKNOWN else [saved.role.label]
    if saved.state is not SavedState.HELD:
        words.append(saved.state.name.lower() + (f" by {saved.packer}" if saved.packer else ""))
    if saved.stale:
        write = saved.write
        place = f" at {write.place.short}" if write and write.place else ""
        words.append(f"overwritten by {write.op}{place}" if write else "overwritten in place")
    if shared:
        words.append("storage shared")
    return ", ".join(words)


def leaf_columns(folds: Folds, gradients: Gradients, words: Words) -> dict[str, Column | Rising]:
    """Give the leaves of the graph, what arrived at them, and the rows that use them."""
    graph = folds.graph
    table = graph.leaf_table
    number = np.full(len(graph), -1, np.int32)
    number[table.node] = np.arange(len(table.node))
    arrived = np.full(len(graph) + 1, -1, np.int64)
    arrived[gradients.table.node] = np.arange(len(gradients))
    arrived[-1] = -1
    which = arrived[table.node]
    return {
        "leaves.node": Rising(table.node),
        "leaves.name": words.of_rows(table.name, graph.name),
        "leaves.aliases": words.of_rows(table.aliases, graph.name),
        "leaves.shape": _leaf_shapes(graph, words),
        "leaves.frozen": ~table.requires_grad,
        "leaves.norm": np.append(gradients.table.norm, np.nan)[which],
        "leaves.note": words.of_rows(
            which, lambda row: _arrived(gradients.row(row)) if row >= 0 else "gradient not measured"
        ),
        "uses.source": Rising(folds.uses.source),
        "uses.leaf": number[folds.uses.leaf],
    }


def _leaf_shapes(graph: Graph, words: Words) -> Column:
    start, spec = graph.output_table.start, graph.output_table.spec
    node = graph.leaf_table.node
    rows = np.where(start[node + 1] > start[node], np.append(spec, -1)[start[node]], -1)
    return words.of_rows(rows, lambda row: str(graph.specs[row]) if row >= 0 else "")


def _arrived(gradient: Gradient) -> str:
    """Say in a line what arrived, or why nothing did."""
    if not gradient.present:
        return gradient.reason.text
    parts = [
        f"norm {figure(gradient.norm)}",
        f"from {figure(gradient.min)} to {figure(gradient.max)}",
        f"{percent(gradient.zero_share)} zeros" if gradient.zeros else "",
        f"{gradient.nan:,} NaN" if gradient.nan else "",
        f"{gradient.inf:,} infinite" if gradient.inf else "",
    ]
    return ", ".join(part for part in parts if part)
