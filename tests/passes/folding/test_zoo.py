"""Which repeats a reader of the program would name, and where each begins: found in real models."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import autograd_inspect
from autograd_inspect.model.folds import FoldKind, Folds
from autograd_inspect.passes.folding.build import fold

ZOO = Path(__file__).parents[3] / "benchmarks" / "zoo"


def folds_of(monkeypatch: pytest.MonkeyPatch, script: str, *arguments: str) -> Folds:
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.setattr(sys, "path", [*sys.path])
    with autograd_inspect.record():
        variables = runpy.run_path(str(ZOO / script))
    variables["trace"] = autograd_inspect.trace
    exec("capture = trace(loss)", variables)  # there, where modules have names
    return fold(variables["capture"])


def told(folds: Folds) -> list[str]:
    """Write down the repeats, those in the first instances of others, by depth."""
    lines, depth = [], {-1: 0}
    for span, parent in enumerate(folds.table.parent.tolist()):
        again = parent >= 0 and folds.instance_at(parent, int(folds.table.first[span])) > 0
        if parent not in depth or (again and folds.table.kind[parent] == FoldKind.REPEAT):
            continue
        repeat = folds.table.kind[span] == FoldKind.REPEAT
        depth[span] = depth[parent] + repeat
        if repeat:
            title = folds.titles[span].replace("\N{MULTIPLICATION SIGN}", "x")
            lines.append("  " * depth[parent] + title)
    return lines


BOTTLENECKS = ["1 … 2 (Bottleneck) x2", "1 … 3 (Bottleneck) x3", "1 … 5 (Bottleneck) x5"]

EXPECTED = {
    "mlp.py": ["(Linear → ReLU) x5"],
    "resnet50.py": [*BOTTLENECKS, BOTTLENECKS[0]],
    "language_model.py 3": ["blocks.0 … blocks.2 (Block) x3"],
    "checkpointed.py 3": ["blocks.0 … blocks.2 (Block) x3"],
    "checkpointed.py 8 reentrant": ["CheckpointFunction x8"],
    "unet.py": [],
    "experts.py": ["1 … 6 (Layer) x6", "  (index → … → index_add (7 operations)) x8"],
    "lstm.py cell 20": ["cell (LSTMCell) x20"],
    "lstm.py functional 20": ["(mm → … → mul (14 operations)) x20"],
    "gan.py both": [],
    "translation.py": [
        "encoder.0 … encoder.5 (EncoderLayer) x6",
        "decoder.0 … decoder.5 (DecoderLayer) x6",
    ],
    "siamese.py": [],
    "densenet.py": [],
    "diffusion.py": ["(ResBlock → Attention) x2"] * 3
    + ["middle.0 … middle.1 (ResBlock) x2"]
    + ["(cat → ResBlock → Attention) x2"] * 3,
    "penalty.py": [
        "(SiLU → Linear) x4",
        "(sigmoid → … → mm (7 operations)) x4",
        *["(Linear → SiLU) x4"] * 2,
    ],
    "graph_net.py": ["rounds.0 … rounds.4 (Round) x5"],
    "named_apart.py": ["first … fourth (Block) x4"],
    "solver.py 10": [
        "(slice → … → add (41 operations)) x10",
        "  (mul → … → cat (9 operations)) x3",
    ],
    "ladder.py": [
        "((unbind → … → add (6 operations)) x3 → linalg_vector_norm → div) x12",
        "  (unbind → … → add (6 operations)) x3",
    ],
    "large.py wide 200": ["(sin → exp) x100"],
    "large.py chain 200": ["mul x199"],
    "large.py lstm 6000": ["LSTMCell x50 x7", "  LSTMCell x50"],
}


@pytest.mark.skipif(not ZOO.exists(), reason="benchmarks/ is not in a source distribution")
@pytest.mark.parametrize("command", EXPECTED)
def test_repeats_are_those_that_a_reader_would_name(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(folds_of(monkeypatch, *command.split())) == EXPECTED[command]
