"""Which process of a distributed run this is."""

from __future__ import annotations

import os


def current_rank() -> int | None:
    """Return this process's rank as its launcher set it, or None outside a distributed run.

    Slurm sets SLURM_PROCID in every job step, also of a single process; only beside WORLD_SIZE,
    which torch's env:// rendezvous needs, does it mean a rank.
    """
    names = ["RANK", "LOCAL_RANK"]
    if "WORLD_SIZE" in os.environ:
        names.append("SLURM_PROCID")
    for name in names:
        value = os.environ.get(name, "")
        if value.isascii() and value.isdigit():
            return int(value)
    return None
