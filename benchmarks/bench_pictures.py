"""Pictures of the models in `zoo/`: whether they can be read on one screen, and how soon.

Each model is traced once, which is not measured. `bench_pictures.py NAME ...` looks at some only.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from measure import HERE, Row, own_part, report, run_process

SCREEN = (1600, 900)
TERMINAL = (50, 120)
#: Seconds of CPU of a whole process, and of one that reads a million nodes.
QUICK, QUICK_FOR_MILLIONS = 1.0, 5.0
AGI = [sys.executable, "-m", "autograd_inspect"]


@dataclass(frozen=True, slots=True)
class Model:
    """A script of the zoo with its arguments; `text` is the bar for its pictures, in pixels."""

    name: str
    command: str
    text: float = 9.0

    @property
    def is_large(self) -> bool:
        """Whether it has a million nodes; it is traced in Python then, without source lines."""
        return self.command.endswith("1000000")


MODELS = [
    Model("MLP", "mlp.py"),
    Model("ResNet-50", "resnet50.py"),
    Model("GPT, 12 layers", "language_model.py 12", 12),
    Model("GPT, 48 layers", "language_model.py 48", 12),
    Model("GPT, checkpointed", "checkpointed.py 12", 12),
    Model("GPT, checkpointed, reentrant", "checkpointed.py 12 reentrant", 12),
    Model("U-Net", "unet.py"),
    Model("diffusion U-Net", "diffusion.py"),
    Model("mixture of experts", "experts.py"),
    Model("encoder and decoder", "translation.py"),
    Model("DenseNet", "densenet.py"),
    Model("siamese net", "siamese.py"),
    Model("GAN", "gan.py both"),
    Model("gradient penalty", "penalty.py"),
    Model("graph net", "graph_net.py"),
    Model("blocks with names of their own", "named_apart.py"),
    Model("loops in loops", "ladder.py"),
    Model("solver, 200 steps", "solver.py 200"),
    Model("LSTMCell, 64 steps", "lstm.py cell 64", 12),
    Model("LSTMCell, 10,000 steps", "lstm.py cell 10000", 12),
    Model("LSTM by hand, 10,000 steps", "lstm.py functional 10000", 12),
    Model("nn.LSTM, 10,000 steps", "lstm.py module 10000", 12),
    Model("LSTMCell, 133 times 50 steps", "large.py lstm 100000", 12),
    Model("10,000 unlike operations", "unlike.py 10000"),
    Model("75,000 branches", "large.py wide 150000"),
    Model("a million nodes: GPT", "large.py gpt 1000000", 12),
    Model("a million nodes: LSTM", "large.py lstm 1000000", 12),
    Model("a million nodes: chain", "large.py chain 1000000"),
    Model("a million nodes: pairs", "large.py pairs 1000000"),
]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Where a box or a frame is."""

    x: float
    y: float
    width: float
    height: float

    def contains(self, other: Rectangle) -> bool:
        """Tell whether another one lies in it."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )

    def meets(self, other: Rectangle) -> bool:
        """Tell whether both cover some place."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


def rectangles(svg: str, kind: str) -> list[Rectangle]:
    """Give the rectangles of the boxes or frames of a picture."""
    number = r'"([-\d.]+)"'
    place = f"<rect x={number} y={number} width={number} height={number}"
    groups = re.finditer(rf'<g id="{kind}-[^>]*>.*?{place}', svg, re.DOTALL)
    return [Rectangle(*map(float, group.groups())) for group in groups]


def text_size(svg: str) -> float:
    """Give the size of the headings, in pixels, once the picture fits the screen."""
    width, height = (
        float(re.search(rf' {side}="([\d.]+)"', svg)[1]) for side in ("width", "height")
    )
    heading = float(re.search(r"\.heading \{ font-size: ([\d.]+)px", svg)[1])
    return heading * min(SCREEN[0] / width, SCREEN[1] / height, 1.0)


def overlaps(svg: str) -> int:
    """Count the boxes and frames that lie across each other."""
    every = rectangles(svg, "node") + rectangles(svg, "frame")
    crossing = (
        one.meets(other) and not one.contains(other) and not other.contains(one)
        for one, other in combinations(every, 2)
    )
    return sum(crossing)


def trace(model: Model, path: Path) -> None:
    script, *arguments = model.command.split()
    if model.is_large:
        ended = own_part("bench_pictures.py", "--make", *arguments, str(path), limit=600)
    else:
        command = [*AGI, "trace", "-q", "-o", str(path), f"zoo/{script}:loss", *arguments]
        ended = run_process(command, cwd=HERE, limit=600)
    assert ended.status == 0, ended.errors


def make(shape: str, nodes: str, path: str) -> None:
    """Trace a large graph and save the capture."""
    from graphs import SHAPES

    import autograd_inspect

    autograd_inspect.trace(SHAPES[shape](int(nodes))).save(path)


def rows_of(model: Model, folder: Path) -> Iterator[Row]:
    capture, picture = folder / "model.agi", folder / "model.svg"
    trace(model, capture)
    bar = QUICK_FOR_MILLIONS if model.is_large else QUICK
    command = [*AGI, "render", str(capture), "-o", str(picture), "--force"]
    runs = [run_process(command) for _ in range(3)]
    seconds = median(run.cpu for run in runs)
    svg = picture.read_text("utf-8")
    boxes, size, crossing = len(rectangles(svg, "node")), text_size(svg), overlaps(svg)
    yield Row(
        f"{model.name}: text",
        f">= {model.text:g} px",
        f"{size:.1f} px, {boxes} boxes",
        size >= model.text,
    )
    yield Row(f"{model.name}: overlaps", "0", f"{crossing}", crossing == 0)
    yield Row(
        f"{model.name}: agi render",
        f"<= {bar:g} s CPU",
        f"{seconds:.2f} s, peak {max(run.peak_mib for run in runs):.0f} MiB",
        seconds <= bar,
    )
    lines, spent = lines_on_terminal(capture)
    yield Row(
        f"{model.name}: agi show",
        f"<= {TERMINAL[0]} lines, {bar:g} s CPU",
        f"{lines} lines, {spent:.2f} s",
        lines <= TERMINAL[0] and spent <= bar,
    )
    yield totals_row(model, capture)


def lines_on_terminal(capture: Path) -> tuple[int, float]:
    """Count the lines that `agi show` prints on a terminal, and its CPU seconds."""
    pid, terminal = pty.fork()
    if not pid:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", *TERMINAL, 0, 0))
        os.environ |= {"TERM": "xterm", "OMP_NUM_THREADS": "1"}
        os.execv(sys.executable, [*AGI, "show", str(capture)])
    printed = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        printed += part
    _, _, usage = os.wait4(pid, 0)
    os.close(terminal)
    return len(printed.decode().splitlines()), usage.ru_utime + usage.ru_stime


def totals_row(model: Model, path: Path) -> Row:
    """Hold the totals of the folds against a count of the capture that knows nothing of folds."""
    from autograd_inspect import load
    from autograd_inspect.model.tables import SavedRole, SavedState
    from autograd_inspect.passes.folding.build import fold

    capture = load(path)
    graph, saved = capture.graph, capture.graph.saved_table
    whole = fold(capture).whole
    used = np.zeros(len(graph), np.bool_)
    used[graph.edge_table.target[graph.edge_table.target >= 0]] = True
    leaves = int(np.count_nonzero(used[graph.leaf_table.node]))
    there = {SavedRole.PARAMETER, SavedRole.BUFFER}
    held: dict[int, int] = {}
    columns = saved.storage, saved.bytes, saved.role, saved.state, saved.leaf
    for row, (storage, size, role, state, leaf) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        if state == SavedState.HELD and role not in there and leaf < 0:
            held[storage if storage >= 0 else -1 - row] = max(size, 0)
    expected = len(graph) - leaves, leaves, sum(held.values())
    found = tuple(int(figure[0]) for figure in (whole.nodes, whole.leaves, whole.saved))
    return Row(
        f"{model.name}: totals",
        f"{expected[0]:,} nodes, {expected[1]:,} leaves, {expected[2]:,} B",
        f"{found[0]:,} nodes, {found[1]:,} leaves, {found[2]:,} B",
        found == expected,
    )


def rows(names: list[str]) -> Iterator[Row]:
    for model in MODELS:
        if names and not any(name in f"{model.name} {model.command}" for name in names):
            continue
        print(f"{model.name} ...", file=sys.stderr, flush=True)
        with TemporaryDirectory() as folder:
            yield from rows_of(model, Path(folder))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--make", shape, nodes, path]:
            make(shape, nodes, path)
        case names:
            report(list(rows(names)))
