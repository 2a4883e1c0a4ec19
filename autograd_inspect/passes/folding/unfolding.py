"""Unfold: what is to be seen of folds when some of them are open."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.folds import EVERY, FoldKind, Folds, Opening, Scene
from autograd_inspect.model.tables import Bools, Longs
from autograd_inspect.passes.folding.nesting import levels_of


def unfold(folds: Folds, opening: Opening) -> Scene:
    """Give the items that are seen, and the arrows between them.

    A row inside of closed folds is in the outermost of them. Where a repeat is open, every row of
    it stands in for its like in the instance on show, so that no arrow gets lost; one that leads
    from one instance to another is carried.
    """
    is_open = np.zeros(len(folds.table.kind), np.bool_)
    is_open[list(opening.folds)] = True
    lid = _lids(folds, is_open)
    twin, carried = _twins(folds, opening, np.flatnonzero(lid < 0))
    # An item is known by its first row; no two have the same one.
    lid = np.append(lid, -1)  # for what is in no fold
    shown = np.where(lid < 0, -1, np.append(folds.table.first, -1)[lid])[folds.fold]
    shown = np.where(shown < 0, np.arange(len(folds)), shown)[twin]
    is_item = np.zeros(len(folds), np.bool_)
    is_item[shown] = True
    first = np.flatnonzero(is_item)
    item = (np.cumsum(is_item) - 1)[shown]
    closed = lid[folds.fold[first]]
    inside = np.where(closed < 0, folds.fold[first], np.append(folds.table.parent, -1)[closed])
    arrows = _arrows_between(folds, item, closed >= 0, carried)
    return Scene(
        folds=folds,
        opening=opening,
        row=np.where(closed < 0, first, -1).astype(np.int32),
        fold=closed.astype(np.int32),
        inside=inside.astype(np.int32),
        frames=_frames(folds, inside),
        **arrows,
    )


def _arrows_between(
    folds: Folds, item: Longs, closed: Bools, carried: Bools
) -> dict[str, npt.NDArray[Any]]:
    """Give the arrows of a scene, as its columns: those from one item to another are one."""
    arrows = folds.arrows
    source, target = item[arrows.source], item[arrows.target]
    leads = np.flatnonzero((source != target) | (carried & ~closed[source]))
    source, target, carried = source[leads], target[leads], carried[leads]
    key = (source * len(closed) + target) * 2 + carried
    _, sample, count = np.unique(key, return_index=True, return_counts=True)
    return {
        "source": source[sample].astype(np.int32),
        "target": target[sample].astype(np.int32),
        "arrow": leads[sample].astype(np.int32),
        "count": count.astype(np.int32),
        "carried": carried[sample],
    }


def _lids(folds: Folds, is_open: Bools) -> Longs:
    """Give the outermost closed fold around each fold, itself among them; -1 where all are open."""
    table = folds.table
    closed = np.flatnonzero(~is_open)
    ends = np.maximum.accumulate(table.stop[closed])
    outermost = closed[table.first[closed] >= np.append(0, ends[:-1])]
    # An outer fold comes before those in it, so that the last one before a fold is around it,
    # or none is.
    last = np.append(-1, outermost)[np.searchsorted(outermost, np.arange(len(is_open)), "right")]
    within = (last >= 0) & (table.first < table.stop[last])
    return np.where(within, last, -1)


def _twins(folds: Folds, opening: Opening, seen: Longs) -> tuple[Longs, Bools]:
    """Give each row's like among the instances on show, and which arrows change instances.

    `seen` are the folds that are open, and all around them.
    """
    table, arrows = folds.table, folds.arrows
    twin = np.arange(len(folds))
    carried = np.zeros(len(arrows.source), np.bool_)
    repeats = seen[table.kind[seen] == FoldKind.REPEAT]
    shown = np.array([opening.shown.get(repeat, 0) for repeat in repeats.tolist()], np.int64)
    repeats, shown = repeats[shown != EVERY], shown[shown != EVERY]
    for level in levels_of(table.first[repeats], table.stop[repeats]):
        first, stop, times = (
            column[repeats[level]].astype(np.int64)
            for column in (table.first, table.stop, table.times)
        )
        period = (stop - first) // times
        which = np.repeat(np.arange(len(level)), stop - first)
        rows = np.arange(len(which)) + (first - np.append(0, np.cumsum(stop - first)[:-1]))[which]
        number, place = np.divmod(rows - first[which], period[which])
        instance = np.full(len(folds), -1, np.int64)  # a number of its own, for each of each repeat
        instance[rows] = which * len(folds) + number
        # What is open in the instance on show is what counts in all of them.
        turn = instance[twin]
        one, other = turn[arrows.source], turn[arrows.target]
        carried |= (one != other) & (one >= 0) & (one // len(folds) == other // len(folds))
        like = np.arange(len(folds))
        like[rows] = (first + shown[level] * period)[which] + place
        twin = like[twin]
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
