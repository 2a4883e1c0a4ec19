"""Everything that depends on how one release of torch differs from another.

The rest of the package asks here and stays free of version checks. All of it is autograd's private
surface, read and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.autograd import graph as autograd_graph

GraphNode = Any
"""A C++ autograd node or a custom Function's context: no common type is exposed."""


def op_name(node: GraphNode) -> str:
    """Name a node as torch's own messages do: `MulBackward0`, `AccumulateGrad`.

    Nodes without a Python class of their own all have the class `CppFunction`; only those tell
    their name by `name()`, with a C++ namespace in front.
    """
    name = type(node).__name__
    return name if name != "CppFunction" else str(node.name()).rpartition("::")[2]


def in_backward() -> bool:
    """Tell whether the engine is running a backward on this thread right now."""
    return bool(torch._C._current_graph_task_id() != -1)


def is_tracing(roots: Iterable[object]) -> bool:
    """Tell whether a compiler is only looking at these roots, which hold no numbers.

    To compile a backward, AOTAutograd runs `torch.autograd.grad` on fake tensors.
    """
    mode: object = torch._guards.detect_fake_mode(list(roots))
    return mode is not None or torch._guards.TracingContext.try_get() is not None


def patch_engine(make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[[], None]:
    """Replace the one function that every backward started from Python goes through.

    It is known under two names: where it is defined, and where `torch.autograd` imported it to.
    Returns the undo.
    """
    original = autograd_graph._engine_run_backward
    replacement = make(original)
    modules = (autograd_graph, torch.autograd)
    for module in modules:
        module._engine_run_backward = replacement  # type: ignore[attr-defined]

    def undo() -> None:
        for module in modules:
            module._engine_run_backward = original  # type: ignore[attr-defined]

    return undo


#: Whether a saved tensor can be looked at without running the user's unpack hooks. Not so before
#: torch 2.12, where reading `_saved_*` is the only way and runs them.
SHOWS_SAVED_TENSORS = hasattr(torch._C._autograd.SavedTensor, "data")
