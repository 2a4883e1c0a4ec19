"""A scene as a view: how each item of it reads, and each frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Figures, FoldKind, Scene
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.view import Face, Group, Origin, Role, Scale, View
from autograd_inspect.passes.drawing import notes_about, title_of
from autograd_inspect.passes.heat import bytes_text, heat_of_items
from autograd_inspect.passes.looks import described, outputs_lines
from autograd_inspect.passes.part import TIMES

_ROLES = {
    FoldKind.MODULE: Role.MODULE,
    FoldKind.REPEAT: Role.REPEAT,
    FoldKind.CHAIN: Role.CHAIN,
}
_LEAF = "\N{BLACK CIRCLE}"
_INSIDE = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
_DOT = " \N{MIDDLE DOT} "
#: Of the leaves that a box uses, so many are named; the tip names more.
_FEW, _SOME = 2, 12
#: Of the boxes, the share that makes a module the whole model.
_NEARLY_ALL = 0.6


def picture(scene: Scene, source: Capture | Graph, *, color: str = "kind") -> View:
    """Give the view of a scene, nearer to the root first; `color` is as for `drawing.draw`."""
    items = _Items(scene)
    order = range(len(scene) - 1, -1, -1)
    box = len(scene) - 1
    heat, scale = _heat(items, source, color)
    groups, group_of = _groups(scene)
    nodes = [int(scene.folds.node[row]) if row >= 0 else -1 for row in items.rows]
    variables = scene.folds.graph.node_table.variable
    return View(
        title=_DOT.join(
            (title_of(source), *map(scene.folds.titles.__getitem__, _whole_models(scene)))
        ),
        notes=(*_folded_note(scene), *notes_about(source)),
        faces=tuple(items.face(item) for item in order),
        origins=(Origin(),),
        groups=groups,
        face=list(range(len(scene))),
        origin=[0] * len(scene),
        group=[group_of.get(int(scene.inside[item]), -1) for item in order],
        node=[nodes[item] if nodes[item] >= 0 else -2 - int(scene.fold[item]) for item in order],
        name=[_root_name(scene.folds.graph, nodes[item]) for item in order],
        variable=[
            scene.folds.graph.name(int(variables[nodes[item]])) if scene.row[item] >= 0 else ""
            for item in order
        ],
        remark=[""] * len(scene),
        sequence=[-1] * len(scene),
        source=(box - scene.source).tolist(),
        target=(box - scene.target).tolist(),
        label=_labels(items),
        carried=tuple(scene.carried.tolist()),
        heat=tuple(heat[item] for item in order) if heat else (),
        scale=scale,
    )


@dataclass(frozen=True, eq=False)
class _Items:
    """The items of a scene, and how each reads."""

    scene: Scene

    @cached_property
    def rows(self) -> list[int]:
        """Give the row that each item is, or consists of; -1 where it consists of several."""
        scene, table = self.scene, self.scene.folds.table
        single = np.append(table.stop - table.first == 1, False)[scene.fold]
        first = np.append(table.first, -1)[scene.fold]
        rows: list[int] = np.where(single, first, scene.row).tolist()
        return rows

    @cached_property
    def figures(self) -> Figures:
        """Give the figures of all items."""
        scene, folds = self.scene, self.scene.folds
        return Figures(
            *(
                np.where(
                    scene.row >= 0,
                    getattr(folds.of_rows, name)[np.maximum(scene.row, 0)],
                    np.append(getattr(folds.of_folds, name), 0)[scene.fold],
                )
                for name in ("nodes", "leaves", "saved", "spent", "norm")
            )
        )

    def face(self, item: int) -> Face:
        """Describe an item."""
        row, fold = self.rows[item], int(self.scene.fold[item])
        if row < 0:
            return self._of_fold(item, fold)
        folds = self.scene.folds
        plain = described(folds.graph, int(folds.node[row]))
        leaves = self._leaf_names(row, row + 1)
        shapes = outputs_lines(folds.graph.node(int(folds.node[row])).outputs)
        tip = (*plain.tip, *(f"uses {name}" for name in leaves[:_SOME]), *self._lines(row))
        badge = _badge(leaves)
        if fold < 0:
            return Face(plain.title, plain.role, _filled(_spaced(*shapes, badge)), tip)
        # A module of one operation is that operation, under its own name.
        role = Role.MODULE if plain.role is not Role.ROOT else Role.ROOT
        line = _spaced(" ".join((plain.title, *shapes)), badge)
        return Face(folds.titles[fold], role, (line,), tip)

    def _of_fold(self, item: int, fold: int) -> Face:
        folds, figures = self.scene.folds, self.figures
        kind = FoldKind(folds.table.kind[fold])
        count = int(figures.nodes[item])
        size = f"{count:,} {'operation' if count == 1 else 'operations'}"
        saved = int(figures.saved[item])
        leaves = int(figures.leaves[item])
        first, stop = int(folds.table.first[fold]), int(folds.table.stop[fold])
        shapes = outputs_lines(folds.graph.node(int(folds.node[stop - 1])).outputs)
        names = self._leaf_names(first, stop)
        many = f"{_LEAF} {leaves:,} leaves" if leaves > _FEW else _badge(names)
        held = f"{bytes_text(saved)} saved" if saved else ""
        lines = (_DOT.join(_filled(size, held)), _spaced(*shapes, many))
        tip = (
            folds.titles[fold],
            f"holds {saved:,} bytes for backward",
            *(f"uses {name}" for name in names[:_SOME]),
            *([f"and {len(names) - _SOME:,} more leaves"] if len(names) > _SOME else []),
            *self._lines(first),
        )
        return Face(folds.titles[fold], _ROLES[kind], _filled(*lines), tip)

    def _leaf_names(self, first: int, stop: int) -> list[str]:
        """Name the leaves that some rows use, each once, with how often where that is more."""
        folds = self.scene.folds
        span = slice(*np.searchsorted(folds.uses.source, [first, stop]).tolist())
        found, at = np.unique(folds.uses.leaf[span], return_index=True)
        names = self._name_of_leaf
        told = []
        for leaf in found[np.argsort(at)].tolist():
            uses = int(self._uses[leaf])
            told.append(names.get(leaf, "leaf") + (f" {TIMES}{uses:,}" if uses > 1 else ""))
        return told

    @cached_property
    def _uses(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        folds = self.scene.folds
        return np.bincount(folds.uses.leaf, minlength=len(folds.graph))

    @cached_property
    def _name_of_leaf(self) -> dict[int, str]:
        graph = self.scene.folds.graph
        leaves = graph.leaf_table
        pairs = zip(leaves.node.tolist(), leaves.name.tolist(), strict=True)
        return {node: graph.name(name) for node, name in pairs if name >= 0}

    def _lines(self, row: int) -> Iterator[str]:
        """Tell the lines that made a row."""
        folds = self.scene.folds
        stack = int(folds.graph.node_table.stack[folds.node[row]])
        for number, line in enumerate(folds.graph.lines_of(stack)):
            yield f"{'called from' if number else 'made at'} {line}"


def _badge(names: Sequence[str]) -> str:
    """Write the leaves that a box uses, without what lies around their last name."""
    if not names:
        return ""
    short = [name.rpartition(".")[2] for name in names[:_FEW]]
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"{_LEAF} {', '.join(short)}{more}"


def _spaced(*texts: str) -> str:
    return "  ".join(filter(None, texts))


def _filled(*texts: str) -> tuple[str, ...]:
    return tuple(filter(None, texts))


def _root_name(graph: Graph, node: int) -> str:
    """Name a root as the program does."""
    if node < 0:
        return ""
    names = (root.name for root in graph.roots_at.get(node, ()))
    return ", ".join(dict.fromkeys(filter(None, names)))


def _groups(scene: Scene) -> tuple[tuple[Group, ...], dict[int, int]]:
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
    return chains | set(_whole_models(scene))


def _whole_models(scene: Scene) -> Iterator[int]:
    """Give the modules, from the outermost in, that hold nearly all there is to be seen."""
    table, outside = scene.folds.table, -1
    while True:
        inner = [fold for fold in scene.frames if table.parent[fold] == outside]
        if len(inner) != 1 or table.kind[inner[0]] != FoldKind.MODULE:
            return
        (outside,) = inner
        first, stop = (int(column[outside]) for column in (table.first, table.stop))
        item = np.where(scene.row >= 0, scene.row, np.append(table.first, 0)[scene.fold])
        if np.count_nonzero((item >= first) & (item < stop)) < _NEARLY_ALL * len(scene):
            return
        yield outside


def _contents(scene: Scene, unframed: set[int]) -> dict[int, int]:
    """Count what lies directly in each frame: items, and frames."""
    parent = scene.folds.table.parent.tolist()
    counts = dict.fromkeys((-1, *scene.frames), 0)
    framed = [parent[frame] for frame in scene.frames if frame not in unframed]
    for fold in (*scene.inside.tolist(), *framed):
        while fold in unframed:
            fold = parent[fold]
        counts[fold] += 1
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


def _labels(items: _Items) -> list[str]:
    """Label an arrow that leaves an operation with several outputs."""
    scene, folds = items.scene, items.scene.folds
    outputs = np.diff(folds.graph.output_table.start)
    labels = []
    for target, arrow in zip(scene.target.tolist(), scene.arrow.tolist(), strict=True):
        row = items.rows[target]
        several = row >= 0 and outputs[folds.node[row]] > 1
        labels.append(f"output {int(folds.arrows.output[arrow])}" if several else "")
    return labels


def _folded_note(scene: Scene) -> list[str]:
    folds = scene.folds
    nodes, leaves = int(folds.whole.nodes[0]), int(folds.whole.leaves[0])
    if not any(fold >= 0 for fold in scene.fold.tolist()) and not scene.frames:
        return []
    return [
        f"{len(scene):,} boxes stand for {nodes:,} operations and {leaves:,} leaves; "
        f"{TIMES}N: N alike, one of them shown"
    ]


def _heat(
    items: _Items, source: Capture | Graph, color: str
) -> tuple[tuple[int, ...], Scale | None]:
    if color == "kind" or not isinstance(source, Capture):
        return (), None
    level, scale = heat_of_items(source, color, items.figures)
    return tuple(level.tolist()), scale
