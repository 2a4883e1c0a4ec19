"""`agi ls` and `agi info`: the captures there are, and what one says of itself."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from autograd_inspect import store
from autograd_inspect.cli.terminal import Results, say
from autograd_inspect.errors import AgiError


def list_captures() -> int:
    """Print one line per recent capture."""
    paths = store.recent(store.captures_dir(Path.cwd()))
    if not paths:
        say("agi: no capture here yet; make one: agi trace script.py:loss")
    lines = []
    for path in paths:
        try:
            capture = store.load(path)
            what = f"{len(capture.graph)} nodes\t{capture.about.source}"
        except AgiError as error:
            what = error.message
        lines.append(f"{path.name}\t{what}")
    if lines:
        Results().write("\n".join(lines))
    return 0


def print_info(source: str | None) -> int:
    """Print the description of a capture, and the size of its graph, as JSON."""
    path = Path(source) if source else store.last(store.captures_dir(Path.cwd()))
    capture = store.load(path)
    facts = dataclasses.asdict(capture.about)
    facts["versions"] = dict(capture.about.versions)
    graph = capture.graph
    counts = {
        "nodes": len(graph),
        "edges": graph.edge_count,
        "undefined_edges": graph.undefined_edge_count,
        "leaves": len(graph.leaves),
        "depth": graph.depth,
    }
    about = {"schema": "agi.info/1", "file": str(path), **facts, **counts}
    Results().write(json.dumps(about, indent=2))
    return 0
