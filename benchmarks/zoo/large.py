"""The graphs of `graphs.py`, as large as asked: `large.py SHAPE NODES`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from graphs import SHAPES

shape, nodes = sys.argv[1], int(sys.argv[2])
loss = SHAPES[shape](nodes)
loss.sum().backward()
