"""The rails of a scene."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.folds import Scene
from autograd_inspect.model.rails import LANES, Rails, Skipped
from autograd_inspect.model.tables import Bytes, Longs
from autograd_inspect.passes.railing.lanes import Lanes
from autograd_inspect.passes.railing.lines import Lines, lines_of


def rails(scene: Scene, rows: int | None = None) -> Rails:
    """Lay the rails of a scene; what is more than `rows` is left out in the middle."""
    lines = lines_of(scene)
    cells, hidden = _cells(scene, lines)
    drawn = Rails(scene, lines.item, lines.indent, lines.heads, cells, hidden, {})
    return drawn if rows is None or len(drawn) <= rows else _cut(drawn, rows)


def _cells(scene: Scene, lines: Lines) -> tuple[Bytes, Longs]:
    """Draw what is left of every line."""
    forward = ~scene.carried
    source, target = scene.source[forward], scene.target[forward]
    order = np.lexsort((-target, source))  # what comes soonest leads straight on
    used = target[order].tolist()
    start = np.searchsorted(source[order], np.arange(len(scene) + 1)).tolist()
    lanes, drawn, hidden = Lanes(), bytearray(), []
    for item in lines.item.tolist():
        if item < 0:
            drawn += lanes.passing()
        else:
            drawn += lanes.meet(item, used[start[item] : start[item + 1]])
        hidden.append(lanes.hidden)
    cells = np.frombuffer(bytes(drawn), np.uint8).reshape(-1, LANES + 1)
    return cells, np.array(hidden, np.int64)


def _cut(drawn: Rails, rows: int) -> Rails:
    """Leave out as many lines in the middle as are too many, and say so in one."""
    top = (rows - 1) * 2 // 3
    bottom = len(drawn) - (rows - 1 - top)
    kept = np.r_[0 : top + 1, bottom : len(drawn)]
    cells = drawn.cells[kept]
    # The line that stands for others has what leads into it, and what leads out of it.
    cells[top] = (cells[top - 1] & 2) >> 1 | (cells[top + 1] & 1) << 1
    item = drawn.item[kept]
    item[top] = -1
    gone = drawn.item[top:bottom]
    gone = gone[gone >= 0]
    moved = {number: heads for number, heads in drawn.heads.items() if number < top}
    for number, heads in drawn.heads.items():
        if number >= bottom:
            moved[number - bottom + top + 1] = heads
    indent = drawn.indent[kept]
    indent[top] = 0
    return Rails(
        scene=drawn.scene,
        item=item,
        indent=indent,
        heads=moved,
        cells=cells,
        hidden=drawn.hidden[kept],
        skipped={top: Skipped(len(gone), int(_nodes(drawn.scene)[gone].sum()))},
    )


def _nodes(scene: Scene) -> Longs:
    """Count the nodes that each item stands for."""
    folds = scene.folds
    of_folds = np.append(folds.of_folds.nodes, 0)[scene.fold]
    of_rows = np.append(folds.of_rows.nodes, 0)[scene.row]
    return np.where(scene.fold >= 0, of_folds, of_rows)
