"""The sample of the current format: `PYTHONPATH=tests python tests/store/sample.py` writes it.

Run once when a format is released; a sample that is in `tests/captures/` never changes again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from build import graph_of, make_gradients

from autograd_inspect.model.capture import About, Backward, Capture
from autograd_inspect.model.gradients import Gradients, Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Place
from autograd_inspect.model.tables import SavedState, SavedTable, Spec
from autograd_inspect.store import archive, save

FOLDER = Path(__file__).parents[1] / "captures"


def sample() -> Capture:
    """Make a capture with something of everything in it."""
    about = About(
        target="train.py",
        arguments=("--lr", "0.1"),
        expression="loss",
        created="2026-11-23T17:45:00Z",
        place=Place("train.py", 12, "step"),
        call="backward",
        number=1,
        backward=Backward.SCRIPT,
        notes=("a note",),
        versions=(("agi", "0.1.0"), ("torch", "2.9.0"), ("python", "3.12.1")),
        rank=3,
    )
    return Capture(_graph(), _gradients(), about)


def _graph() -> Graph:
    graph = graph_of(
        [[1], [2, 3], [4, -1], [], []],
        ops=["SumBackward0", "MulBackward0", "PowBackward0", "AccumulateGrad", "AccumulateGrad"],
        names={0: "loss", 1: "self", 2: "other", 3: "scale.weight", 4: "données"},
    )
    spec = Spec(("s0", 3), "float64", "cuda:0")
    return replace(
        graph,
        specs=(*graph.specs, spec),
        attributes=("{}", '{"exponent": 2}'),
        node_table=replace(graph.node_table, attributes=np.array([0, 0, 1, 0, 0], np.int32)),
        output_table=replace(graph.output_table, spec=np.array([0, 0, 0, 0, 1], np.int32)),
        saved_table=SavedTable(
            node=np.array([1, 1], np.int32),
            name=np.array([1, 2], np.int32),
            spec=np.array([1, -1], np.int32),
            bytes=np.array([48, 0], np.int64),
            storage=np.array([0, -1], np.int32),
            leaf=np.array([1, -1], np.int32),
            state=np.array([SavedState.HELD, SavedState.FREED], np.uint8),
        ),
    )


def _gradients() -> Gradients:
    gradients = make_gradients(["scale.weight", "unused.bias"])
    histogram = np.zeros_like(gradients.table.histogram)
    histogram[0, 12] = 6
    table = replace(
        gradients.table,
        node=np.array([3, -1], np.int32),
        dtype=np.array([0, -1], np.int32),
        reason=np.array([Reason.ARRIVED, Reason.NOT_REACHED], np.uint8),
        norm=np.array([2.5, np.nan]),
        histogram=histogram,
    )
    return replace(gradients, table=table)


if __name__ == "__main__":
    major, minor = archive.VERSION
    save(sample(), FOLDER / f"v{major}.{minor}.agi")
