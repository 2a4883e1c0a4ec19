"""The few lines under a tree that say what was captured, where, and what is missing of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd_inspect.model.capture import About, Backward, Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.renderers.text import Segment, counted, glyphs, paint, safe

_WHO_RAN_IT = {
    Backward.SCRIPT: "",
    Backward.OURS: "backward was run by agi, after the walk",
    Backward.EARLIER: "gradients are those of an earlier backward of the script",
    Backward.FAILED: "backward failed",
    Backward.NOT_RUN: "backward was not run",
}


def render(capture: Capture, *, color: bool = False, ascii: bool = False) -> str:  # noqa: A002 - named as the option
    """Write the summary of a capture, one fact per line."""
    lines = (
        paint([(safe(text, ascii=ascii), style)], color=color)
        for text, style in _facts(capture, f" {glyphs(ascii=ascii).dot} ")
    )
    return "".join(f"{line}\n" for line in lines)


def size_of(graph: Graph, joint: str = " · ") -> str:
    """Say how large a graph is: `796 nodes · 843 edges (22 undefined) · 148 leaves · depth 479`."""
    edges = counted(graph.edge_count, "edge")
    if graph.undefined_edge_count:
        edges += f" ({graph.undefined_edge_count:,} undefined)"
    leaves = counted(len(graph.leaf_table.node), "leaf", "leaves")
    return joint.join((counted(len(graph), "node"), edges, leaves, f"depth {graph.depth:,}"))


def place_of(about: About) -> str:
    """Say where it was captured: `train.py:41 in train, backward call 1 of the script`."""
    where = [str(about.place)] if about.place else []
    if about.number:
        where.append(f"{about.call} call {about.number:,} of the script")
    return ", ".join(where)


def _facts(capture: Capture, joint: str) -> Iterator[Segment]:
    about = capture.about
    yield size_of(capture.graph, joint), "bold"
    ran = _WHO_RAN_IT[about.backward]
    reason = f": {about.error}" if about.error else ""
    captured = [text for text in (place_of(about), f"{ran}{reason}") if text]
    if about.rank is not None:
        captured.append(f"rank {about.rank}")
    if captured:
        failed = about.backward is Backward.FAILED
        yield joint.join(captured), "red" if failed else "dim"
    if about.partial:
        yield f"partial: {about.partial}", "bold red"
    for omitted in about.omitted:
        yield f"not recorded: {omitted}", "yellow"
    added = int(np.count_nonzero(capture.gradients.table.before))
    if added:
        yield f"note: {counted(added, 'gradient')} added to what was in .grad before", "yellow"
    for note in about.notes:
        yield f"note: {note}", "yellow"
