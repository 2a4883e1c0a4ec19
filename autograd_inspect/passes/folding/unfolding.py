"""Unfold: what is to be seen of folds when some of them are open."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.folds import EVERY, FoldKind, Folds, Opening, Scene
from autograd_inspect.model.tables import Bools, Longs


def unfold(folds: Folds, opening: Opening) -> Scene:
    """Give the items that are seen, and the arrows between them.

    A row inside of closed folds is in the outermost of them. Where a repeat is open, every row of
    it stands in for its like in the instance on show, so that no arrow gets lost; one that leads
    from one instance to another is carried.
    """
    is_open = np.zeros(len(folds.table.kind), np.bool_)
    is_open[list(opening.folds)] = True
    lid = _lids(folds, is_open)
    twin, carried = _twins(folds, opening, is_open & (_outside(folds, lid) < 0))
    # An item is known by its first row; no two have the same one.
    shown = np.where(lid[folds.fold] < 0, np.arange(len(folds)), _first(folds, lid)[folds.fold])
    shown = shown[twin]
    first = np.unique(shown)
    item = np.searchsorted(first, shown)
    closed = lid[folds.fold[first]]
    inside = np.where(closed < 0, folds.fold[first], np.append(folds.table.parent, -1)[closed])
    arrows = folds.arrows
    source, target = item[arrows.source], item[arrows.target]
    leads = np.flatnonzero((source != target) | carried)
    leads = leads[
        ~(carried[leads] & (closed[source[leads]] >= 0) & (source[leads] == target[leads]))
    ]
    ends = np.stack([source[leads], target[leads], carried[leads]])
    unique, sample, count = np.unique(ends, axis=1, return_index=True, return_counts=True)
    return Scene(
        folds=folds,
        opening=opening,
        row=np.where(closed < 0, first, -1).astype(np.int32),
        fold=closed.astype(np.int32),
        inside=inside.astype(np.int32),
        frames=_frames(folds, inside),
        source=unique[0].astype(np.int32),
        target=unique[1].astype(np.int32),
        arrow=leads[sample].astype(np.int32),
        count=count.astype(np.int32),
        carried=unique[2].astype(np.bool_),
    )


def _lids(folds: Folds, is_open: Bools) -> Longs:
    """Give the outermost closed fold around each fold, itself among them; -1 where all are open.

    One more at the end stands for what is in no fold.
    """
    lid = np.full(len(is_open) + 1, -1, np.int64)
    # An outer fold comes before those in it.
    for fold, (parent, opened) in enumerate(
        zip(folds.table.parent.tolist(), is_open.tolist(), strict=True)
    ):
        above = lid[parent]
        lid[fold] = above if above >= 0 else -1 if opened else fold
    return lid


def _outside(folds: Folds, lid: Longs) -> Longs:
    """Give the outermost closed fold around each fold, itself left out."""
    found: Longs = lid[folds.table.parent]
    return found


def _first(folds: Folds, lid: Longs) -> Longs:
    """Give the first row of the closed fold that each fold is in."""
    found: Longs = np.append(folds.table.first, -1)[lid]
    return found


def _twins(folds: Folds, opening: Opening, seen: Bools) -> tuple[Longs, Bools]:
    """Give each row's like among the instances on show, and which arrows change instances."""
    table, arrows = folds.table, folds.arrows
    twin = np.arange(len(folds))
    carried = np.zeros(len(arrows.source), np.bool_)
    repeats = np.flatnonzero(seen & (table.kind == FoldKind.REPEAT))
    for repeat in repeats[::-1].tolist():  # from the inside out: an outer one copies the inner
        if opening.shown.get(repeat) == EVERY:
            continue
        first, stop, times = (int(c[repeat]) for c in (table.first, table.stop, table.times))
        period = (stop - first) // times
        span = slice(*np.searchsorted(arrows.source, [first, stop]).tolist())
        back = arrows.target[span]
        crosses = (arrows.source[span] - first) // period != (back - first) // period
        carried[span] |= crosses & (back >= first)
        start, end = folds.instance(repeat, opening.shown.get(repeat, 0))
        twin[first:stop] = np.tile(twin[start:end], times)
    return twin, carried


def _frames(folds: Folds, inside: Longs) -> tuple[int, ...]:
    """Give the open folds that hold something to be seen, outer ones first."""
    held: set[int] = set()
    for fold in np.unique(inside).tolist():
        for outer in folds.around(fold):
            if outer in held:
                break
            held.add(outer)
    return tuple(sorted(held))
