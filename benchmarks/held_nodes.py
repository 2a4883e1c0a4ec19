"""Bytes per node of a live graph: `python held_nodes.py none|light|watch`, as JSON."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext

import torch
from graphs import gpt
from measure import memory

import autograd_inspect as agi

NODES = 25_000


def main(side: str) -> None:
    recording = nullcontext() if side == "none" else agi.record(watch=side == "watch")
    with recording:
        warm = gpt(1)
        before = memory("VmRSS")
        root = gpt(NODES)
        grown = memory("VmRSS") - before
    print(json.dumps({"bytes": grown / len(agi.trace(root).graph), "warm": warm.ndim}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
