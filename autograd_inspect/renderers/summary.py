"""The few lines under a tree that say what was captured, where, and what is missing of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd_inspect.model.capture import About, Backward, Capture, Recording
from autograd_inspect.model.flow import Cut
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.rows import Saved
from autograd_inspect.renderers import births
from autograd_inspect.renderers.text import (
    Origins,
    Segment,
    counted,
    glyphs,
    paint,
    safe,
)

#: Of the cuts, and of the tensors overwritten, so many are told.
_FEW = 3
_WHO_RAN_IT = {
    Backward.SCRIPT: "",
    Backward.OURS: "backward was run by agi, after the walk",
    Backward.EARLIER: "gradients are those of an earlier backward of the script",
    Backward.FAILED: "backward failed",
    Backward.NOT_RUN: "backward was not run",
}


def render(
    capture: Capture,
    trouble: NonFinite | None = None,
    *,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Write the summary of a capture, one fact per line; `trouble` is where gradients went bad."""
    facts = [*_facts(capture, f" {glyphs(ascii=ascii).dot} ")]
    if trouble is not None:
        facts += [(line, "bold red") for line in births.lines_of(trouble, Origins(capture.graph))]
    lines = (paint([(safe(text, ascii=ascii), style)], color=color) for text, style in facts)
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
    recording = about.recording
    told = [f"recorded: {recording.recorded}", recording.missing]
    yield joint.join(filter(None, told)), "dim"
    if recording is Recording.FULL or capture.graph.cuts:
        yield from _cuts(capture.graph)
    yield from _overwritten(capture.graph)


def _cuts(graph: Graph) -> Iterator[Segment]:
    """Tell the first few places that cut the graph, before others those on the way to the root."""
    cuts = sorted(graph.cuts, key=lambda cut: not cut.reaches)
    if not cuts:
        yield "no place cut the graph", "dim"
        return
    leading = sum(cut.reaches for cut in cuts)
    places = f"{counted(len(cuts), 'place')} cut the graph, {leading:,} on the way to the root"
    yield f"{places} (agi show --cuts):", "bold"
    origins = Origins(graph)
    for cut in cuts[:_FEW]:
        yield f"  {_cut(cut, origins)}", "" if cut.reaches else "dim"


def _cut(cut: Cut, origins: Origins) -> str:
    parts = [origins.cut(cut)]
    if cut.leaves:
        others = f" and {len(cut.leaves) - 1:,} more" if len(cut.leaves) > 1 else ""
        parts.append(f"behind it {cut.leaves[0]}{others}")
    if cut.uses:
        parts.append(f"went into {origins.use(cut.uses[0])}")
    return "; ".join(parts)


def _overwritten(graph: Graph) -> Iterator[Segment]:
    """Tell the first few saved tensors that backward will refuse, and which line is at fault."""
    stale = np.flatnonzero(graph.saved_table.stale).tolist()
    origins = Origins(graph)
    for row in stale[:_FEW]:
        yield _overwriting(Saved(graph, row), origins), "bold red"
    if len(stale) > _FEW:
        yield f"{len(stale) - _FEW:,} more saved tensors were overwritten", "bold red"


def _overwriting(saved: Saved, origins: Origins) -> str:
    graph = saved.graph
    node = graph.node(int(graph.saved_table.node[saved.row]))
    where = f" ({place})" if (place := origins.place(node.place)) else ""
    text = f"saved `{saved.name}` of {node.title}{where} was overwritten"
    if saved.write is None:
        return f"{text} in place"
    line = f" at {place}" if (place := origins.place(saved.write.place)) else ""
    return f"{text} by {saved.write.op}{line}"
