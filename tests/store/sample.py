"""The sample of the current format: `PYTHONPATH=tests python tests/store/sample.py` writes it.

Run once when a format is released; a sample that is in `tests/captures/` never changes again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from build import graph_of, make_gradients, with_origins

from autograd_inspect.model.capture import About, Backward, Capture, Recording
from autograd_inspect.model.curves import Chart, Curve, Curves
from autograd_inspect.model.flow import CutKind, CutLeafTable, CutTable, CutUseTable, WriteTable
from autograd_inspect.model.gradients import Gradients, Holding, Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.levels import Probe
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.model.probes import Birth, Operand, PassedTable
from autograd_inspect.model.profile import OutsideTable, Profile, TimeTable
from autograd_inspect.model.tables import (
    CallTable,
    Ints,
    Longs,
    SavedRole,
    SavedState,
    SavedTable,
    Spec,
)
from autograd_inspect.store import archive, save

FOLDER = Path(__file__).parents[1] / "captures"


def sample() -> Capture:
    """Make a small capture with something of everything in it: no table is empty."""
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
        recording=Recording.FULL,
        parameters=96,
        gradients=24,
        probe=Probe.NODES,
        profile=Profile(step=1, forward=4000, backward=4000, linked=4),
    )
    graph = _timed(_probed(_with_flow(_with_saved(_graph()))))
    return with_curves(Capture(graph, _gradients(), about))


def with_curves(capture: Capture) -> Capture:
    """Add the curves of both leaves: one with a result, one with a gradient that is not finite."""
    up, down = np.array([0.0, 0.5, 1.0]), np.array([1.0, -np.inf, np.nan])
    charts = (
        Chart(
            row=0,
            leaf=Curve("scale.weight", 3, up),
            results=(Curve("hidden", 1, up**2),),
            gradient=Curve("scale.weight.grad", 3, 2 * up),
        ),
        Chart(
            row=1,
            leaf=Curve("données", 4, up[:2]),
            results=(),
            gradient=Curve("données.grad", 4, down[1:]),
        ),
    )
    return replace(capture, curves=Curves.of(charts))


def _graph() -> Graph:
    graph = graph_of(
        [[1], [2, 3], [4, -1], [], []],
        ops=["SumBackward0", "MulBackward0", "PowBackward0", "AccumulateGrad", "AccumulateGrad"],
        names={0: "loss", 1: "self", 2: "other", 3: "scale.weight", 4: "données"},
    )
    graph = with_origins(
        graph,
        places={
            0: "train.py:11 step",
            1: "model.py:7 forward < model.py:20 forward < train.py:10 step",
            2: "model.py:5 square < model.py:6 forward < model.py:20 forward < train.py:10 step",
        },
        variables={1: "hidden"},
    )
    words = ("tied.weight, head.weight", "save_on_cpu", "Tensor.add_", "Tensor.detach")
    library = Place("site-packages/lib/ops.py", 88, "scale")
    first, *others = graph.stacks
    return replace(
        graph,
        names=(*graph.names, *words, "argmax", "mul"),
        specs=(*graph.specs, Spec(("s0", 3), "float64", "cuda:0")),
        attributes=("{}", '{"exponent": 2}'),
        places=(*graph.places, library),
        modules=(
            Module("model", "", "Net"),
            Module("model", "scale", "Scale"),
            Module("model", "scale.inner", "Square"),
        ),
        call_table=CallTable(_rows(0, 1, 1, 2), _rows(1, 1, 2, 1), parent=_rows(-1, 0, 0, 2)),
        stacks=(replace(first, library=len(graph.places)), *others, Stack((0,))),
        node_table=replace(
            graph.node_table, attributes=_rows(0, 0, 1, 0, 0), call=_rows(0, 2, 3, -1, -1)
        ),
        output_table=replace(graph.output_table, spec=_rows(0, 0, 0, 0, 1)),
    )


def _with_saved(graph: Graph) -> Graph:
    row = graph.names.index
    return replace(
        graph,
        leaf_table=replace(graph.leaf_table, aliases=_rows(row("tied.weight, head.weight"), -1)),
        saved_table=SavedTable(
            node=_rows(1, 1, 2),
            name=_rows(row("self"), row("other"), row("self")),
            spec=_rows(1, -1, -1),
            bytes=np.array([48, 0, 0], np.int64),
            storage=_rows(0, -1, -1),
            leaf=_rows(1, -1, -1),
            state=np.array([SavedState.HELD, SavedState.FREED, SavedState.PACKED], np.uint8),
            role=np.array([SavedRole.PARAMETER, SavedRole.UNKNOWN, SavedRole.INPUT], np.uint8),
            origin=_rows(4, 2, -1),
            packer=_rows(-1, -1, row("save_on_cpu")),
            stale=np.array([True, False, False]),
            write=_rows(0, -1, -1),
        ),
    )


def _with_flow(graph: Graph) -> Graph:
    row = graph.names.index
    return replace(
        graph,
        write_table=WriteTable(
            op=_rows(row("Tensor.add_")),
            stack=_rows(3),
            module=_rows(-1),
            version=np.array([1], np.int64),
        ),
        cut_table=CutTable(
            kind=np.array([CutKind.DETACH, CutKind.INTEGER], np.uint8),
            op=_rows(row("Tensor.detach"), row("argmax")),
            stack=_rows(1, 0),
            module=_rows(1, -1),
            region=_rows(-1, 3),
            spec=_rows(1, -1),
            times=np.array([2, 1], np.int64),
            raised=np.array([False, True]),
            reaches=np.array([True, False]),
            truncates=np.array([False, True]),
        ),
        cut_leaf_table=CutLeafTable(
            cut=_rows(0, 0, 1),
            name=_rows(row("scale.weight"), row("données"), row("données")),
        ),
        cut_use_table=CutUseTable(
            cut=_rows(0, 0, 1),
            op=_rows(row("mul"), row("argmax"), row("Tensor.add_")),
            stack=_rows(1, 0, -1),
            node=_rows(1, -1, -1),
            times=np.array([2, 1, 1], np.int64),
        ),
    )


def _probed(graph: Graph) -> Graph:
    birth = Birth(
        node=2,
        slot=0,
        index=(1, 2),
        value="nan",
        arrived="0",
        operands=(Operand("self", (1, 2), "0", "of 6 elements 1 zero"), Operand("exponent")),
        source=1,
        made=3,
        maker="torch.atanh",
    )
    return replace(
        graph,
        node_table=replace(
            graph.node_table,
            turn=_rows(0, 1, 2, 3, -1),
            spent=np.array([900, 1200, 5000, 100, -1], np.int64),
        ),
        edge_table=replace(graph.edge_table, passed=_rows(0, 1, 1, 2, -1)),
        output_table=replace(graph.output_table, arrived=_rows(0, 0, 1, 1, 2)),
        passed_table=PassedTable(
            norm=np.array([1.0, 2.5, np.nan]),
            max=np.array([1.0, 2.0, np.nan]),
            zeros=np.array([0, 2, 0], np.int64),
            nan=np.array([0, 0, 1], np.int64),
            inf=np.array([0, 0, 0], np.int64),
            count=np.array([6, 6, 6], np.int64),
        ),
        births=(birth,),
    )


def _timed(graph: Graph) -> Graph:
    def per_node(*figures: int) -> Longs:
        return np.array(figures, np.int64)

    row = graph.names.index("mul")
    return replace(
        graph,
        time_table=TimeTable(
            forward=per_node(900, 800, 700, -1, -1),
            forward_total=per_node(900, 1500, 700, -1, -1),
            backward=per_node(90, 80, 70, 60, -1),
            backward_total=per_node(90, 150, 70, 60, -1),
            runs=_rows(1, 1, 1, 1, 0),
            began=per_node(3000, 2000, 1000, -1, -1),
            backward_began=per_node(5000, 6000, 7000, 8000, -1),
            allocated=per_node(4, 24, 24, -1, -1),
            backward_allocated=per_node(4, 24, 24, 0, -1),
            device=per_node(-1, -1, -1, -1, -1),
            backward_device=per_node(-1, -1, -1, -1, -1),
        ),
        outside_table=OutsideTable(
            name=_rows(row, row),
            backward=np.array([0, 1], np.uint8),
            calls=per_node(2, 1),
            time=per_node(300, 100),
            allocated=per_node(48, 0),
            device=per_node(0, 0),
        ),
    )


def _gradients() -> Gradients:
    gradients = make_gradients(["scale.weight", "unused.bias"])
    histogram = np.zeros_like(gradients.table.histogram)
    histogram[0, 12] = 6
    table = replace(
        gradients.table,
        node=_rows(3, -1),
        dtype=_rows(0, -1),
        reason=np.array([Reason.ARRIVED, Reason.NOT_REACHED], np.uint8),
        norm=np.array([2.5, np.nan]),
        histogram=histogram,
        holding=np.array([Holding.HELD, Holding.NOT_HELD], np.uint8),
    )
    return replace(gradients, table=table)


def _rows(*rows: int) -> Ints:
    return np.array(rows, np.int32)


if __name__ == "__main__":
    major, minor = archive.VERSION
    save(sample(), FOLDER / f"v{major}.{minor}.agi")
