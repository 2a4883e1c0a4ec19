"""Arrange two graphs for drawing as one: what was added, what was removed, what changed.

Where there is more than fits, what changed is shown with its neighbours, and boxes stand for the
rest: one for each module call in which nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from autograd_inspect.model.diff import ADDED, CHANGED, REMOVED, Contrast, Diff
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools
from autograd_inspect.model.view import Face, Role, View
from autograd_inspect.passes.grouping import group_boxes
from autograd_inspect.passes.knots import knots_of
from autograd_inspect.passes.looks import looks_of
from autograd_inspect.passes.modules import Modules
from autograd_inspect.passes.origins import origins_of
from autograd_inspect.passes.part import Part, Rows, edge_sources, is_leaf
from autograd_inspect.passes.splitting import split_leaves as with_leaves_split
from autograd_inspect.passes.unchanged import calls_of_whole, fold_unchanged
from autograd_inspect.passes.union import Union, union_of

_ROLES = {ADDED: Role.ADDED, REMOVED: Role.REMOVED, CHANGED: Role.CHANGED, "": Role.SAME}
_ARROWS = {ADDED: "new", REMOVED: "removed", "": ""}
_TO = "\N{RIGHTWARDS ARROW}"
#: A fold of more module calls than this only says how many nodes it has.
_MANY = 1000


def draw_diff(diff: Diff, *, limit: int | None, split_leaves: bool = False) -> View:
    """Give the view of a diff, with at most about `limit` boxes, all where it is None."""
    union = _without_cycles(_with_marks_that_tell(union_of(diff), diff))
    shown = _shown(union, limit)
    part, arrow_marks = _part(union, shown, limit, split_leaves=split_leaves)
    modules = Modules(union.graph)
    grouping = group_boxes(part, modules)
    alone = grouping.alone.copy()
    alone[len(part) :] = -1  # a fold says itself which call it stands for
    origins = origins_of(part, alone, modules)
    names, variables = _names(union, part), _variables(union, part)
    named = [bool(name or variable) for name, variable in zip(names, variables, strict=True)]
    faces, face = _faces(union, part, named)
    nothing = [""] * len(part.hidden)
    none = [-1] * len(part.hidden)
    return View(
        title=_title(diff),
        notes=tuple(_notes(diff, part)),
        faces=faces,
        origins=origins.origins,
        groups=grouping.groups,
        face=face,
        origin=origins.origin.tolist(),
        group=grouping.group.tolist(),
        node=part.node.tolist() + none,
        name=names + nothing,
        variable=variables + nothing,
        remark=_remarks(diff, part) + nothing,
        sequence=[-1] * len(part) + none,
        source=part.source.tolist(),
        target=part.target.tolist(),
        label=_labels(union, part, arrow_marks),
    )


def _with_marks_that_tell(union: Union, diff: Diff) -> Union:
    """Take the mark off nodes of which only the gradient differs, where others differ in more."""
    drifted = [one.node.index for one in diff.differences if one.only_drifted]
    if len(drifted) == len(diff.differences):
        return union
    mark = list(union.mark)
    for node in drifted:
        mark[node] = ""
    return replace(union, mark=mark)


def _without_cycles(union: Union) -> Union:
    """Leave out removed edges that run against those there are now: what was turned round."""
    table = union.graph.edge_table
    removed = np.array([mark == REMOVED for mark in union.edge_mark], np.bool_)
    if not removed.any():
        return union
    source, target, _ = _defined_edges(union)
    knot = np.full(len(union.graph) + 1, -1, np.int64)
    for number, nodes in enumerate(knots_of(zip(source.tolist(), target.tolist(), strict=True))):
        knot[nodes] = number
    start = knot[edge_sources(union.graph)]
    turned = removed & (start >= 0) & (start == knot[table.target])
    kept = np.where(turned, -1, table.target).astype(np.int32)
    edges = replace(table, target=kept)
    return replace(union, graph=replace(union.graph, edge_table=edges))


def _shown(union: Union, limit: int | None) -> Bools:
    """Choose the nodes to show: all if they fit, else those with marks and their neighbours."""
    graph = union.graph
    if limit is None or len(graph) <= limit:
        return np.ones(len(graph), np.bool_)
    marked = np.array([bool(mark) for mark in union.mark], np.bool_)
    source, target, mark = _defined_edges(union)
    odd = np.array([bool(one) for one in mark], np.bool_)
    ends = marked.copy()
    ends[source[odd]] = ends[target[odd]] = True
    near = ends.copy()
    near[source[ends[target]]] = True
    near[target[ends[source]]] = True
    # What is marked comes first, then the ends of marked arrows, then their neighbours.
    distance = 3 - marked.astype(np.int64) - ends - near
    shown = np.zeros(len(graph), np.bool_)
    shown[np.argsort(distance, kind="stable")[: min(limit, int(near.sum()))]] = True
    return shown


def _defined_edges(union: Union) -> tuple[Rows, Rows, list[str]]:
    graph = union.graph
    target = graph.edge_table.target.astype(np.int64)
    rows = np.flatnonzero(target >= 0)
    marks = [union.edge_mark[row] for row in rows.tolist()]
    return edge_sources(graph)[rows], target[rows], marks


def _part(
    union: Union, shown: Bools, limit: int | None, *, split_leaves: bool
) -> tuple[Part, list[str]]:
    """Make boxes of what is shown, and one of each fold of what is not, with the arrows between."""
    graph = union.graph
    fold = np.full(len(graph), -1, np.int64)
    if not shown.all():
        fold = _without_leaves_alone(graph, fold_unchanged(graph, shown, limit or len(graph)))
    node = np.flatnonzero(shown)
    box = np.full(len(graph), -1, np.int64)
    box[node] = np.arange(len(node))
    source, target, marks = _defined_edges(union)
    mark = np.array(marks, dtype="U1")
    inside = shown[source] & shown[target]
    none = np.zeros(0, np.int64)
    part = Part(
        graph=graph,
        node=node,
        source=box[source[inside]],
        target=box[target[inside]],
        edge=np.flatnonzero(inside),
        hidden_by=fold,
        hidden=np.bincount(fold[fold >= 0]).astype(np.int64),
        frontier=none,
        hidden_in=none,
        below=none,
    )
    if split_leaves:
        part = with_leaves_split(part)
    drawn = (box >= 0) | (fold >= 0)
    crossing = np.flatnonzero(~inside & drawn[source] & drawn[target])
    end = np.where(box >= 0, box, len(part) + fold)
    pairs = np.stack([end[source[crossing]], end[target[crossing]]], axis=1)
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    part = replace(
        part,
        source=np.append(part.source, pairs[:, 0]),
        target=np.append(part.target, pairs[:, 1]),
    )
    return part, [*mark[inside].tolist(), *[""] * len(pairs)]


def _without_leaves_alone(graph: Graph, fold: Rows) -> Rows:
    """Leave folds out that hold nothing but leaves: there would be one for each weight shown."""
    leaf = is_leaf(graph)
    operations = np.unique(fold[(fold >= 0) & ~leaf])
    kept = np.isin(fold, operations)
    place: Rows = np.where(kept, np.searchsorted(operations, fold), -1)
    return place


def _faces(union: Union, part: Part, named: list[bool]) -> tuple[tuple[Face, ...], list[int]]:
    """Give the looks of all boxes: those of the graph, with the mark and in its colour."""
    looks = looks_of(part)
    distinct: dict[tuple[int, str, bool], int] = {}
    face = [
        distinct.setdefault((row, union.mark[node], name), len(distinct))
        for row, node, name in zip(looks.face.tolist(), part.node.tolist(), named, strict=False)
    ]
    faces = [_marked(looks.faces[row], mark, named=name) for row, mark, name in distinct]
    folds = [Face(*about) for about in _folds(union, part)]
    return (*faces, *folds), face + [len(faces) + row for row in range(len(folds))]


def _marked(face: Face, mark: str, *, named: bool) -> Face:
    """Give a look its mark; a box that has a name of its own has the mark there."""
    title = face.title if named or not mark else f"{mark} {face.title}"
    return replace(face, title=title, role=_ROLES[mark])


def _labels(union: Union, part: Part, marks: list[str]) -> list[str]:
    """Say of arrows between boxes that both were and are there, which are new, which removed."""
    lasting = [union.mark[node] in {CHANGED, ""} for node in part.node.tolist()]
    lasting += [True] * len(part.hidden)
    return [
        _ARROWS[mark] if lasting[source] and lasting[target] else ""
        for source, target, mark in zip(
            part.source.tolist(), part.target.tolist(), marks, strict=True
        )
    ]


def _folds(union: Union, part: Part) -> Iterator[tuple[str, Role, tuple[str, ...]]]:
    """Say of each fold what it stands for: a module call, several, or just so many nodes."""
    if not len(part.hidden):
        return
    graph, modules = union.graph, Modules(union.graph)
    marked = np.array([bool(mark) for mark in union.mark], np.bool_)
    order = np.argsort(part.hidden_by, kind="stable")
    order = order[part.hidden_by[order] >= 0]
    for nodes in np.split(order, np.cumsum(part.hidden)[:-1]):
        changed = int(np.count_nonzero(marked[nodes]))
        size = f"{len(nodes):,} {'node' if len(nodes) == 1 else 'nodes'}"
        said = f"{size}, {changed:,} of them changed" if changed else f"{size} unchanged"
        calls = calls_of_whole(graph, nodes)
        names = [modules.label(call) for call in calls[:1] + calls[1:][-1:]]
        if names and len(calls) <= _MANY:
            yield f" {_TO} ".join(names), Role.SAME, (said,)
        else:
            yield said, Role.SAME, ()


def _names(union: Union, part: Part) -> list[str]:
    """Name leaves and roots as the program does, behind the mark."""
    graph = union.graph
    named: dict[int, str] = {}
    for table in (graph.leaf_table, graph.root_table):
        names = map(graph.name, table.name.tolist())
        pairs = zip(table.node.tolist(), names, strict=True)
        named.update((node, name) for node, name in pairs if name)
    return [_with_mark(union.mark[node], named.get(node, "")) for node in part.node.tolist()]


def _variables(union: Union, part: Part) -> list[str]:
    names = map(union.graph.name, union.graph.node_table.variable[part.node].tolist())
    return [
        _with_mark(union.mark[node], name)
        for node, name in zip(part.node.tolist(), names, strict=True)
    ]


def _with_mark(mark: str, name: str) -> str:
    return f"{mark} {name}" if mark and name else name


def _remarks(diff: Diff, part: Part) -> list[str]:
    """Say below each box that changed what did."""
    found = {
        one.node.index: " \N{MIDDLE DOT} ".join(_told(one.contrasts))
        for one in diff.differences
        if one.mark == CHANGED
    }
    return [found.get(node, "") for node in part.node.tolist()]


def _told(contrasts: tuple[Contrast, ...]) -> Iterator[str]:
    for one in contrasts:
        values = [
            value if isinstance(value, str) else f"{value:.3g}" if isinstance(value, float)
            else f"{value:,}"
            for value in (one.before, one.after)
        ]  # fmt: skip
        unit = " bytes" if isinstance(one.after, int) else ""
        yield f"{one.fact.label} {values[0]} {_TO} {values[1]}{unit}"


def _title(diff: Diff) -> str:
    sources = [capture.about.source for capture in (diff.before, diff.after)]
    names = f" {_TO} ".join(dict.fromkeys(sources))
    counts = (f"{mark}{diff.count(mark):,}" for mark in (ADDED, REMOVED, CHANGED))
    return f"{names} · {' '.join(counts)} nodes"


def _notes(diff: Diff, part: Part) -> Iterator[str]:
    yield from diff.notes
    hidden = len(part.hidden_by) - len(np.unique(part.node))
    if hidden:
        yield f"{hidden:,} nodes are folded or left out, away from what changed; --all draws each"
    if diff.renamed:
        more = f" and {len(diff.renamed) - 3:,} more" if len(diff.renamed) > 3 else ""
        names = (f"{one.before.full_name} {_TO} {one.after.full_name}" for one in diff.renamed[:3])
        yield f"renamed: {', '.join(names)}{more}"
