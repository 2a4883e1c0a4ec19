"""Which folds are open: chosen by what fits, by depth, or by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from autograd_inspect.errors import UsageError
from autograd_inspect.model.folds import FoldKind, Folds, Opening, Scene
from autograd_inspect.model.places import Module
from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.unfolding import unfold

Fits = Callable[[Scene], bool]

#: So many kinds of folds are tried: what comes after them is small.
_PATIENCE = 40


def choose(folds: Folds, fits: Fits) -> Opening:
    """Open whole kinds of folds, the largest first, as long as what is seen `fits`.

    Kinds, not single folds: of two layers that look alike either both are open or none, so that a
    reader need not wonder what sets them apart. Where not even all closed fits, all are closed.
    """
    chosen, banned = set[int](), set[int]()
    opening = Opening()
    scene = unfold(folds, opening)
    for _ in range(_PATIENCE):
        group = _largest(scene, banned)
        if group is None:
            break
        kinds = {like for fold in group for like in _likes_with(folds, fold)}
        wider = _of_kinds(folds, chosen | kinds)
        found = unfold(folds, wider)
        if fits(found):
            chosen |= kinds
            opening, scene = wider, found
        else:
            banned.add(int(folds.table.like[group[0]]))
    return opening


def open_to_depth(folds: Folds, depth: int) -> Opening:
    """Open the modules that lie in less than `depth` others, and what repeats among them."""
    table = folds.table
    modules = np.zeros(len(table.kind), np.int64)
    opened: list[int] = []
    for fold, (kind, parent) in enumerate(
        zip(table.kind.tolist(), table.parent.tolist(), strict=True)
    ):
        around = int(modules[parent]) if parent >= 0 else 0
        modules[fold] = around + (kind == FoldKind.MODULE)
        if modules[fold] <= depth and (kind != FoldKind.CHAIN or around < depth):
            opened.append(fold)
    return Opening(frozenset(opened) & _with_content(folds))


def open_paths(folds: Folds, opening: Opening, paths: Iterable[str]) -> Opening:
    """Open the modules of these paths too, with all around them, in every call.

    Raises UsageError where no module has such a path.
    """
    opened, shown = set(opening.folds), dict(opening.shown)
    for path in paths:
        found = list(_folds_of(folds, path))
        if not found:
            raise UsageError(
                f"{path}: no module of this graph has this path", hint=_some_paths(folds)
            )
        for fold in found:
            opened.update(folds.around(fold))
        for outer in folds.around(found[0]):
            if folds.table.kind[outer] == FoldKind.REPEAT:
                shown[outer] = folds.instance_at(outer, int(folds.table.first[found[0]]))
    return Opening(frozenset(opened) & _with_content(folds), shown)


def open_all(folds: Folds) -> Opening:
    """Open everything; of repeats one instance is on show."""
    return Opening(_with_content(folds))


def _with_content(folds: Folds) -> frozenset[int]:
    """Give the folds that hold more than one row: one alone is best called by the fold's name."""
    table = folds.table
    return frozenset(np.flatnonzero(table.stop - table.first > 1).tolist())


def _largest(scene: Scene, banned: set[int]) -> list[int] | None:
    """Give the closed folds of the kind with most rows in all, chains after all else."""
    table = scene.folds.table
    closed = scene.fold[scene.fold >= 0]
    closed = closed[table.stop[closed] - table.first[closed] > 1]
    closed = closed[~np.isin(table.like[closed], list(banned))]
    if not len(closed):
        return None
    kinds, which = np.unique(table.like[closed], return_inverse=True)
    rows: Longs = np.bincount(which, table.stop[closed] - table.first[closed])
    chains = np.zeros(len(kinds), np.bool_)
    chains[which[table.kind[closed] == FoldKind.CHAIN]] = True
    best = int(np.lexsort((-rows, chains))[0])
    group: list[int] = closed[which == best].tolist()
    return group


def _of_kinds(folds: Folds, kinds: set[int]) -> Opening:
    found = np.flatnonzero(np.isin(folds.table.like, list(kinds)))
    return Opening(frozenset(found.tolist()))


def _likes_with(folds: Folds, fold: int) -> Iterator[int]:
    """Give the kind of a fold, and of what it alone consists of: that opens together with it."""
    table = folds.table
    while True:
        yield int(table.like[fold])
        inner = fold + 1  # folds come right before those in them
        if inner >= len(table.kind) or table.parent[inner] != fold:
            return
        rows = int(table.stop[inner] - table.first[inner])
        whole = rows * table.times[fold] == table.stop[fold] - table.first[fold]
        if not whole or rows == 1:
            return
        fold = inner


def _folds_of(folds: Folds, path: str) -> Iterator[int]:
    graph, table = folds.graph, folds.table
    for fold in np.flatnonzero(table.kind == FoldKind.MODULE).tolist():
        module = graph.modules[int(graph.call_table.module[table.call[fold]])]
        if path in _paths_of(module):
            yield fold


def _paths_of(module: Module) -> set[str]:
    return {module.path, module.full_name, module.name} - {""}


def _some_paths(folds: Folds) -> str:
    names = dict.fromkeys(module.full_name for module in folds.graph.modules if module.full_name)
    few = list(names)[:5]
    return f"some that have one: {', '.join(few)}" if few else "no module calls were recorded"
