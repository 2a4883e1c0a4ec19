"""Torch's own trace of a profile, as Chrome and Perfetto read it, with our nodes in it."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograd_inspect.errors import UsageError
from autograd_inspect.model.graph import Graph

#: Our names begin with this among what torch tells of an event, so that no name is taken.
_PREFIX = "autograd "


def write_trace(
    path: Path, results: Sequence[Any], graph: Graph, node_of: Sequence[Mapping[int, int]]
) -> None:
    """Write a trace file, compressed where its name ends in `.gz`; raises UsageError.

    `results` are torch's, one of each stretch, `node_of` the nodes of the events in each by number.
    """
    traces = [_saved(result) for result in results]
    for trace, nodes in zip(traces, node_of, strict=True):
        for event in trace["traceEvents"]:
            known = event.get("args")
            node = nodes.get(known.get("External id", -1)) if isinstance(known, dict) else None
            if node is not None:
                known.update(_facts(graph, node))
    content = json.dumps(_joined(traces)).encode()
    temporary = path.with_name(f".agi-{os.urandom(6).hex()}.tmp")
    try:
        temporary.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _saved(result: Any) -> dict[str, Any]:
    """Have torch write its trace, which it does once and to a file only, and read it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        result.save(str(file))
        # Names of the program are written as they are, whatever their bytes.
        text = file.read_text("utf-8", errors="replace")
    found: dict[str, Any] = json.loads(text, strict=False)
    return found


def _joined(traces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make one trace of several, whose times count from where each says."""
    first, *others = traces
    for other in others:
        shift = (_base(other) - _base(first)) / 1000
        for event in other["traceEvents"]:
            if "ts" in event:
                event["ts"] += shift
        first["traceEvents"] += other["traceEvents"]
    return first


def _base(trace: dict[str, Any]) -> int:
    return int(trace.get("baseTimeNanoseconds", 0))


def _facts(graph: Graph, number: int) -> dict[str, object]:
    node = graph.node(number)
    call = node.call
    name = node.leaf.name if node.leaf is not None else node.variable
    facts = {
        "node": number,
        "op": node.op,
        "name": name,
        "line": str(node.place) if node.place else "",
        "module": call.module.full_name or call.module.name if call else "",
    }
    return {f"{_PREFIX}{key}": value for key, value in facts.items() if value != ""}
