"""Captures on disk: one `.agi` file each, and the folder of recent ones. No torch, no pickle."""

from autograd_inspect.store.file import load, save
from autograd_inspect.store.recent import captures_dir, last, new_path, prune, recent

__all__ = ["captures_dir", "last", "load", "new_path", "prune", "recent", "save"]
