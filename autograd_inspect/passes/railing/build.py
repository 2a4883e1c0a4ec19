"""The rails of a scene."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.folds import Scene
from autograd_inspect.model.rails import LANES, Joint, Rails, Skipped
from autograd_inspect.model.tables import Bytes, Ints, Longs
from autograd_inspect.passes.railing.lanes import Lanes
from autograd_inspect.passes.railing.lines import Lines, lines_of


def rails(scene: Scene, rows: int | None = None) -> Rails:
    """Lay the rails of a scene; what is more than `rows` is left out in the middle."""
    lines = lines_of(scene)
    if rows is not None and len(lines) > rows:
        return _cut(scene, lines, rows)
    cells, hidden = _cells(scene, lines.item, Lanes())
    return Rails(scene, lines.item, lines.indent, lines.heads, cells, hidden, {})


def _cells(scene: Scene, items: Ints, lanes: Lanes) -> tuple[Bytes, Longs]:
    """Draw what is left of lines, by their items."""
    shown = items[items >= 0]
    first, last = shown.min(initial=len(scene)), shown.max(initial=-1)
    here = ~scene.carried & (scene.source >= first) & (scene.source <= last)
    source, target = scene.source[here], scene.target[here]
    order = np.lexsort((-target, source))  # what comes soonest leads straight on
    used = target[order].tolist()
    start = np.searchsorted(source[order], np.arange(first, last + 2)).tolist()
    drawn, hidden = bytearray(), []
    for item in items.tolist():
        if item < 0:
            drawn += lanes.passing()
        else:
            drawn += lanes.meet(item, used[start[item - first] : start[item - first + 1]])
        hidden.append(lanes.hidden)
    cells = np.frombuffer(bytes(drawn), np.uint8).reshape(-1, LANES + 1)
    return cells, np.array(hidden, np.int64)


def _cut(scene: Scene, lines: Lines, rows: int) -> Rails:
    """Leave out as many lines in the middle as are too many, and say so in one.

    What is not shown needs no lanes: below it, rails begin anew from what leads there.
    """
    top = (rows - 1) * 2 // 3
    bottom = len(lines) - (rows - 1 - top)
    upper, more_above = _cells(scene, lines.item[:top], Lanes())
    entered = int(lines.item[bottom:].max(initial=-1))
    leads = ~scene.carried & (scene.source > entered) & (scene.target <= entered)
    lower, more_below = _cells(
        scene, lines.item[bottom:], Lanes(np.unique(scene.target[leads])[::-1].tolist())
    )
    between = (upper[-1] & Joint.DOWN) // Joint.DOWN * Joint.UP
    between = between | (lower[0] & Joint.UP) // Joint.UP * Joint.DOWN
    gone = lines.item[top:bottom]
    gone = gone[gone >= 0]
    heads = {number: some for number, some in lines.heads.items() if number < top}
    heads |= {
        number - bottom + top + 1: some for number, some in lines.heads.items() if number >= bottom
    }
    kept = np.r_[0 : top + 1, bottom : len(lines)]
    item, indent = lines.item[kept], lines.indent[kept]
    item[top], indent[top] = -1, 0
    return Rails(
        scene=scene,
        item=item,
        indent=indent,
        heads=heads,
        cells=np.concatenate([upper, between[None].astype(np.uint8), lower]),
        hidden=np.concatenate([more_above, more_above[-1:], more_below]),
        skipped={top: Skipped(len(gone), int(_nodes(scene)[gone].sum()))},
    )


def _nodes(scene: Scene) -> Longs:
    """Count the nodes that each item stands for."""
    folds = scene.folds
    of_folds = np.append(folds.of_folds.nodes, 0)[scene.fold]
    of_rows = np.append(folds.of_rows.nodes, 0)[scene.row]
    return np.where(scene.fold >= 0, of_folds, of_rows)
