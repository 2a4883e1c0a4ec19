"""Frames around what is open in a scene."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd_inspect.model.folds import FoldKind, Scene
from autograd_inspect.model.view import Group
from autograd_inspect.passes.items import Items

_INSIDE = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
#: Of the boxes, the share that makes a module the whole model.
_NEARLY_ALL = 0.6


def framed(scene: Scene) -> tuple[tuple[Group, ...], dict[int, int]]:
    """Frame what is open, and give each fold's frame, -1 for none.

    No frame is drawn around a chain, nor around the whole model, which the title names. Of two
    frames where one is all that the other holds there is one.
    """
    parent = scene.folds.table.parent
    unframed = _unframed(scene)
    content = _contents(scene, unframed)
    groups: list[Group] = []
    number: dict[int, int] = {-1: -1}
    for fold in scene.frames:
        outer = int(parent[fold])
        if fold in unframed:
            number[fold] = number[outer]
        elif content[outer] == 1 and number[outer] >= 0:
            number[fold] = number[outer]
            groups[number[outer]] = _merged(scene, groups[number[outer]], outer, fold)
        else:
            number[fold] = len(groups)
            groups.append(_framed(scene, fold, number[outer]))
    return tuple(groups), number


def _unframed(scene: Scene) -> set[int]:
    """Give the open folds that need no frame."""
    table = scene.folds.table
    chains = {fold for fold in scene.frames if table.kind[fold] == FoldKind.CHAIN}
    return chains | set(whole_models(scene))


def whole_models(scene: Scene) -> Iterator[int]:
    """Give the modules, from the outermost in, that hold nearly all there is to be seen."""
    table, outside = scene.folds.table, -1
    while True:
        inner = [fold for fold in scene.frames if table.parent[fold] == outside]
        if len(inner) != 1 or table.kind[inner[0]] != FoldKind.MODULE:
            return
        (outside,) = inner
        first, stop = (int(column[outside]) for column in (table.first, table.stop))
        item = Items(scene).first_rows
        if np.count_nonzero((item >= first) & (item < stop)) < _NEARLY_ALL * len(scene):
            return
        yield outside


def _contents(scene: Scene, unframed: set[int]) -> dict[int, int]:
    """Count what lies directly in each frame: items, and frames."""
    parent = scene.folds.table.parent.tolist()
    counts = dict.fromkeys((-1, *scene.frames), 0)
    framed = [parent[frame] for frame in scene.frames if frame not in unframed]
    for fold in (*scene.inside.tolist(), *framed):
        outer = fold
        while outer in unframed:
            outer = parent[outer]
        counts[outer] += 1
    return counts


def _framed(scene: Scene, fold: int, parent: int) -> Group:
    folds, figures = scene.folds, scene.folds.of_folds
    shown = ""
    if folds.table.kind[fold] == FoldKind.REPEAT:
        shown = f", {_shown(scene, fold)}"
    tip = (
        folds.titles[fold],
        f"{int(figures.nodes[fold]):,} operations, {int(figures.leaves[fold]):,} leaves",
        f"holds {int(figures.saved[fold]):,} bytes for backward",
    )
    return Group(folds.titles[fold] + shown, parent, tip)


def _shown(scene: Scene, repeat: int) -> str:
    number = scene.opening.shown.get(repeat, 0)
    return "one shown" if not number else f"number {number + 1:,} shown"


def _merged(scene: Scene, group: Group, outer: int, fold: int) -> Group:
    """Put two frames into one: a repeat says already what it repeats."""
    if scene.folds.table.kind[outer] == FoldKind.REPEAT:
        return group
    inner = _framed(scene, fold, group.parent)
    return Group(group.label + _INSIDE + inner.label, group.parent, (*group.tip, *inner.tip))
