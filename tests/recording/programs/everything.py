"""Runs every kind of program and gathers the roots: `losses` leads to all of their graphs."""

import importlib
from pathlib import Path

import torch

torch.manual_seed(0)
names = sorted(path.stem for path in (Path(__file__).parent / "kinds").glob("*.py"))
losses = {name: importlib.import_module(f"kinds.{name}").loss for name in names}
