"""Capture files by other means than the writer, and all there is to read in a capture."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.rows import Call
from autograd_inspect.store.columns import arrays_of, interned, tables_of

Members = dict[str, bytes]


def seal(body: bytes) -> bytes:
    """End a file as the format demands, whatever `body` holds."""
    return body + b"agi-capture crc32=%08x" % zlib.crc32(body)


def reseal(data: bytes) -> bytes:
    """Make the checksum right again after a change."""
    return seal(data[:-26])


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path: Path, members: Members, *, compression: int = zipfile.ZIP_DEFLATED) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            stored = name == "capture.json"
            archive.writestr(name, data, zipfile.ZIP_STORED if stored else compression)
        archive.comment = bytes(26)
    path.write_bytes(reseal(buffer.getvalue()))


def edit_json(path: Path, member: str, edit: Callable[[dict], object]) -> None:
    """Change a JSON member of a capture file in place."""
    members = members_of(path)
    found = json.loads(members[member])
    edit(found)
    write_members(path, members | {member: json.dumps(found).encode()})


def edit_column(path: Path, name: str, edit: Callable[[np.ndarray], np.ndarray | None]) -> None:
    """Change a column of a capture file in place; `edit` may return another array."""
    members = members_of(path)
    array = np.load(io.BytesIO(members[f"{name}.npy"]))
    changed = edit(array)
    members[f"{name}.npy"] = npy(array if changed is None else changed)
    write_members(path, members)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def assert_same(one: Capture, other: Capture) -> None:
    """Compare every column by its bytes (NaN equals NaN), and all else by value."""
    assert one.about == other.about
    for (column, left), (_, right) in zip(arrays_of(one), arrays_of(other), strict=True):
        assert (left.dtype, left.shape) == (right.dtype, right.shape), column.name
        assert left.tobytes() == right.tobytes(), column.name
    for name in interned()["graph"]:
        assert getattr(one.graph, name) == getattr(other.graph, name), name
    for name in interned()["grads"]:
        assert getattr(one.gradients, name) == getattr(other.gradients, name), name
    assert one.curves.names == other.curves.names


def read_everything(capture: Capture) -> int:
    """Read a capture through every view that the model offers; gives the number of things read."""
    graph = capture.graph
    read = [str(capture), graph.depth, graph.edge_count, capture.about]
    for node in graph.nodes:
        read += [node.op, node.kind, node.hooks, node.attributes, node.outputs, node.leaf]
        read += [(edge.slot, edge.target, edge.output) for edge in node.edges]
        read += [node.title, node.place, node.stack, node.library_place, node.variable]
        for call in calls_around(node.call):
            read += [call.module.name, call.number, call.times]
        for saved in node.saved:
            read += [saved.name, saved.spec, saved.bytes, saved.state, saved.role, saved.origin]
            read += [saved.packer, saved.stale]
            if saved.write:
                read += [saved.write.op, saved.write.place, saved.write.version]
    for cut in graph.cuts:
        read += [cut.kind.text, cut.op, cut.place, cut.stack, cut.region, cut.module, cut.spec]
        read += [cut.times, cut.raised, cut.reaches, cut.leaves]
        read += [(use.op, use.place, use.node, use.times) for use in cut.uses]
    read += [(leaf.name, leaf.spec, leaf.requires_grad, leaf.aliases) for leaf in graph.leaves]
    read += [(root.name, root.spec) for root in graph.roots]
    for chart in capture.curves.charts:
        curves = [chart.leaf, *chart.results, chart.gradient]
        read += [(curve.name, curve.values.tolist()) for curve in curves]
        assert len({len(curve.values) for curve in curves}) == 1
    read += [(row.reason.text, row.zero_share) for row in capture.gradients]
    return len(read) + len(tables_of(capture))


def calls_around(call: Call | None) -> Iterator[Call]:
    """Go from a module call to those further out."""
    while call is not None:
        yield call
        call = call.parent
