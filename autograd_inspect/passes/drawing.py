"""Arrange a graph for drawing: choose what is shown, say how it reads, count what is left out."""

from __future__ import annotations

import math

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools
from autograd_inspect.model.view import NO_HEAT, Scale, View
from autograd_inspect.passes.grouping import group_boxes
from autograd_inspect.passes.heat import gradient_norms, heat_of
from autograd_inspect.passes.looks import looks_of
from autograd_inspect.passes.modules import Modules
from autograd_inspect.passes.nearest import nearest, part_of
from autograd_inspect.passes.origins import origins_of
from autograd_inspect.passes.part import TIMES, Part, combined
from autograd_inspect.passes.splitting import split_leaves as with_leaves_split


def draw(
    source: Capture | Graph,
    *,
    limit: int | None = None,
    kept: Bools | None = None,
    split_leaves: bool = False,
    color: str = "kind",
) -> View:
    """Give the view of every node of a graph, or of those that are `kept`; nothing is folded.

    `limit` keeps at most so many, nearest to the roots.

    `split_leaves` draws a leaf that is used all over the graph once per user: such a leaf is one
    node with several boxes, and each of them says so. `color` is what colours stand for: `kind`,
    or one of `heat.FIGURES`, which a capture must have.
    """
    graph = source.graph if isinstance(source, Capture) else source
    near = nearest(graph, limit)
    part = whole = part_of(graph, near if kept is None else near & kept)
    if split_leaves:
        part = with_leaves_split(whole)
    looks = looks_of(part)
    modules = Modules(graph)
    grouping = group_boxes(part, modules)
    origins = origins_of(part, grouping.alone, modules)
    stand_ins = len(part) + np.arange(len(part.hidden))
    nothing = [""] * len(stand_ins)
    above = stand_ins[-1:].tolist() * len(part.below)
    heat, scale = _heat(part, source, color)
    return View(
        title=title_of(source),
        notes=(*_shown_note(whole), *_split_note(whole, part), *notes_about(source)),
        faces=looks.faces,
        origins=origins.origins,
        groups=grouping.groups,
        face=looks.face.tolist(),
        origin=origins.origin.tolist(),
        group=grouping.group.tolist(),
        node=part.node.tolist() + [-1] * len(stand_ins),
        name=_names(part) + nothing,
        variable=_variables(part) + nothing,
        remark=_remarks(part, source) + nothing,
        sequence=graph.node_table.sequence[part.node].tolist() + [-1] * len(stand_ins),
        source=part.source.tolist() + part.frontier.tolist() + above,
        target=part.target.tolist() + stand_ins[part.hidden_in].tolist() + part.below.tolist(),
        label=_labels(part) + [""] * (len(part.frontier) + len(above)),
        heat=heat,
        scale=scale,
        place=(
            *map(graph.place_of, graph.node_table.stack[part.node].tolist()),
            *[None] * len(stand_ins),
        ),
    )


def _heat(part: Part, source: Capture | Graph, color: str) -> tuple[tuple[int, ...], Scale | None]:
    if color == "kind" or not isinstance(source, Capture):
        return (), None
    level, scale = heat_of(source, color)
    return (*level[part.node].tolist(), *[NO_HEAT] * len(part.hidden)), scale


def title_of(source: Capture | Graph) -> str:
    """Say what a picture is of, and how large that is."""
    graph = source.graph if isinstance(source, Capture) else source
    size = f"{counted(len(graph), 'node')}, {counted(graph.edge_count, 'edge')}"
    size += f", {counted(len(graph.leaf_table.node), 'leaf', 'leaves')}"
    if isinstance(source, Graph):
        return size
    return f"{source.about.source} · {size}"


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _shown_note(part: Part) -> list[str]:
    total = len(part.graph)
    if len(part) == total:
        return []
    return [f"{len(part):,} of {total:,} nodes shown; the other boxes say how many they stand for"]


def _split_note(whole: Part, part: Part) -> list[str]:
    if len(part) == len(whole):
        return []
    leaves = len(np.unique(part.node[len(whole) :]))
    what = "1 leaf is" if leaves == 1 else f"{leaves:,} leaves are"
    return [f"{what} drawn once per user: {TIMES}N on a box says how often"]


def notes_about(source: Capture | Graph) -> list[str]:
    """Say what is missing of a capture."""
    if isinstance(source, Graph):
        return []
    about = source.about
    partial = [f"partial: {about.partial}"] if about.partial else []
    error = [f"backward raised: {about.error}"] if about.error else []
    return partial + error


def _names(part: Part) -> list[str]:
    """Name leaves and roots as the program does; a leaf with several boxes says how many."""
    graph = part.graph
    leaves, roots = graph.leaf_table, graph.root_table
    name_of = dict(zip(leaves.node.tolist(), map(graph.name, leaves.name.tolist()), strict=True))
    of_roots: dict[int, list[str]] = {}
    for node, name in zip(roots.node.tolist(), map(graph.name, roots.name.tolist()), strict=True):
        of_roots.setdefault(node, []).append(name)
    for node, names in of_roots.items():
        name_of[node] = ", ".join(dict.fromkeys(filter(None, names))) or name_of.get(node, "")
    for node, boxes in _times_drawn(part):
        name_of[node] = f"{name_of.get(node) or 'leaf'} {TIMES}{boxes}"
    return [name_of.get(node, "") for node in part.node.tolist()]


def _variables(part: Part) -> list[str]:
    """Give the variable that each node's output was bound to."""
    variable = part.graph.node_table.variable[part.node]
    if variable.max(initial=-1) < 0:
        return [""] * len(part)
    names = ["", *part.graph.names]
    return [names[row + 1] for row in variable.tolist()]


def _times_drawn(part: Part) -> list[tuple[int, int]]:
    node, boxes = np.unique(part.node, return_counts=True)
    several = boxes > 1
    return list(zip(node[several].tolist(), boxes[several].tolist(), strict=True))


def _remarks(part: Part, source: Capture | Graph) -> list[str]:
    """Write the norm of the gradient that arrived below each leaf, below each box if probed."""
    if not isinstance(source, Capture):
        return [""] * len(part)
    norms = gradient_norms(source)[part.node].tolist()
    return ["" if math.isnan(norm) else f"grad norm {_norm_text(norm)}" for norm in norms]


def _norm_text(norm: float) -> str:
    return f"{norm:.3g}" if math.isfinite(norm) else "not finite"


def _labels(part: Part) -> list[str]:
    """Label an arrow where it is not clear without: several outputs, or two arrows between two."""
    table, edges = part.graph.output_table, part.graph.edge_table
    labels = [""] * len(part.edge)
    outputs = (table.start[1:] - table.start[:-1])[part.node[part.target]]
    pair = combined(part.source, part.target)
    distinct, times = np.unique(pair, return_counts=True)
    twice = np.isin(pair, distinct[times > 1]) if len(distinct) < len(pair) else np.zeros(0, bool)
    for arrow in np.flatnonzero(twice).tolist():
        slot = part.edge[arrow] - edges.start[part.node[part.source[arrow]]]
        labels[arrow] = f"input {slot}"
    for arrow in np.flatnonzero(outputs > 1).tolist():
        labels[arrow] = f"output {edges.output[part.edge[arrow]]}"
    return labels
