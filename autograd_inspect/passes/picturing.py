"""A scene as a view: how each item of it reads, and each frame."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Scene
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.view import Origin, Scale, View
from autograd_inspect.passes.drawing import counted, notes_about, title_of
from autograd_inspect.passes.framing import framed, whole_models
from autograd_inspect.passes.heat import heat_of_items
from autograd_inspect.passes.items import Items
from autograd_inspect.passes.part import TIMES

_DOT = " \N{MIDDLE DOT} "


def picture(scene: Scene, source: Capture | Graph, *, color: str = "kind") -> View:
    """Give the view of a scene, nearer to the root first; `color` is as for `drawing.draw`."""
    graph, items = scene.folds.graph, Items(scene)
    order = range(len(scene) - 1, -1, -1)
    box = len(scene) - 1
    heat, scale = _heat(items, source, color)
    groups, group_of = framed(scene)
    first = scene.folds.node[items.first_rows[::-1]]
    nodes = [int(scene.folds.node[row]) if row >= 0 else -1 for row in items.rows]
    variables = graph.node_table.variable
    return View(
        title=_DOT.join(
            (title_of(source), *map(scene.folds.titles.__getitem__, whole_models(scene)))
        ),
        notes=(*_folded_note(scene), *notes_about(source)),
        faces=tuple(items.face(item) for item in order),
        origins=(Origin(),),
        groups=groups,
        face=list(range(len(scene))),
        origin=[0] * len(scene),
        group=[group_of.get(int(scene.inside[item]), -1) for item in order],
        node=[nodes[item] if nodes[item] >= 0 else -2 - int(scene.fold[item]) for item in order],
        name=[_root_name(graph, nodes[item]) for item in order],
        variable=[
            graph.name(int(variables[nodes[item]])) if scene.row[item] >= 0 else ""
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
        place=tuple(map(graph.place_of, graph.node_table.stack[first].tolist())),
    )


def _root_name(graph: Graph, node: int) -> str:
    """Name a root as the program does."""
    if node < 0:
        return ""
    names = (root.name for root in graph.roots_at.get(node, ()))
    return ", ".join(dict.fromkeys(filter(None, names)))


def _labels(items: Items) -> list[str]:
    """Label an arrow that leaves an operation with several outputs, if it is one of them."""
    scene, arrows = items.scene, items.scene.folds.arrows
    outputs = np.diff(scene.folds.graph.output_table.start)
    labels = []
    for target, arrow in zip(scene.target.tolist(), scene.arrow.tolist(), strict=True):
        row = items.rows[target]
        several = row >= 0 and outputs[scene.folds.node[row]] > 1
        user = arrows.source[arrow]
        span = slice(*np.searchsorted(arrows.source, [user, user + 1]).tolist())
        alone = np.count_nonzero(arrows.target[span] == arrows.target[arrow]) == 1
        labels.append(f"output {int(arrows.output[arrow])}" if several and alone else "")
    return labels


def _folded_note(scene: Scene) -> list[str]:
    folds = scene.folds
    nodes, leaves = int(folds.whole.nodes[0]), int(folds.whole.leaves[0])
    if not any(fold >= 0 for fold in scene.fold.tolist()) and not scene.frames:
        return []
    stand = f"{counted(len(scene), 'box stands', 'boxes stand')} for "
    stand += f"{counted(nodes, 'operation')} and {counted(leaves, 'leaf', 'leaves')}"
    if folds.omitted:
        stand += f"; {counted(folds.omitted, 'node is', 'nodes are')} left out"
    return [f"{stand}; {TIMES}N: N alike, one of them shown"]


def _heat(
    items: Items, source: Capture | Graph, color: str
) -> tuple[tuple[int, ...], Scale | None]:
    if color == "kind" or not isinstance(source, Capture):
        return (), None
    level, scale = heat_of_items(source, color, items.figures)
    return tuple(level.tolist()), scale
