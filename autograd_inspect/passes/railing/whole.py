"""A scene of everything: every row an item, in frames of modules only."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.folds import FoldKind, Folds, Opening, Scene


def whole(folds: Folds) -> Scene:
    """Show every row, each instance of a repeat too."""
    table, arrows = folds.table, folds.arrows
    # An outer fold comes before those in it, so one pass finds the module around each.
    module = np.append(np.arange(len(table.kind)), -1)
    for fold in np.flatnonzero(table.kind != FoldKind.MODULE).tolist():
        module[fold] = module[table.parent[fold]]
    inside = module[folds.fold]
    frames = np.unique(module[:-1][table.kind == FoldKind.MODULE])
    ends = arrows.source.astype(np.int64) * len(folds) + arrows.target
    unique, sample, count = np.unique(ends, return_index=True, return_counts=True)
    return Scene(
        folds=folds,
        opening=Opening(frozenset(frames.tolist())),
        row=np.arange(len(folds), dtype=np.int32),
        fold=np.full(len(folds), -1, np.int32),
        inside=inside.astype(np.int32),
        frames=tuple(frames.tolist()),
        source=(unique // max(len(folds), 1)).astype(np.int32),
        target=(unique % max(len(folds), 1)).astype(np.int32),
        arrow=sample.astype(np.int32),
        count=count.astype(np.int32),
        carried=np.zeros(len(unique), np.bool_),
    )
