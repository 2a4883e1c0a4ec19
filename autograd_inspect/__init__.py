"""See the autograd graph of any PyTorch script.

The names below are the whole public library; what they need is imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd_inspect._version import __version__

if TYPE_CHECKING:
    from autograd_inspect.api import (
        Capture,
        grads,
        load,
        memory,
        paths,
        plot_grads,
        record,
        render,
        show,
        times,
        trace,
    )
    from autograd_inspect.comparison import Diff, diff
    from autograd_inspect.errors import (
        AgiError,
        CaptureError,
        ExpressionError,
        FunctionError,
        NoGraphError,
        RenderError,
        TargetError,
        UsageError,
    )
    from autograd_inspect.model.diff import Difference
    from autograd_inspect.model.flow import Cut, CutKind, Write
    from autograd_inspect.model.gradients import Gradient, Reason
    from autograd_inspect.model.graph import Graph
    from autograd_inspect.model.memory import Held, Memory, Packed
    from autograd_inspect.model.paths import Paths, Way
    from autograd_inspect.model.places import Module, Place
    from autograd_inspect.model.profile import Profile
    from autograd_inspect.model.rows import Call, Edge, Leaf, Node, Root, Saved
    from autograd_inspect.model.selection import Selection
    from autograd_inspect.model.tables import Kind, SavedRole, SavedState, Spec
    from autograd_inspect.model.times import Outside, Timed, Times

__all__ = [
    "AgiError",
    "Call",
    "Capture",
    "CaptureError",
    "Cut",
    "CutKind",
    "Diff",
    "Difference",
    "Edge",
    "ExpressionError",
    "FunctionError",
    "Gradient",
    "Graph",
    "Held",
    "Kind",
    "Leaf",
    "Memory",
    "Module",
    "NoGraphError",
    "Node",
    "Outside",
    "Packed",
    "Paths",
    "Place",
    "Profile",
    "Reason",
    "RenderError",
    "Root",
    "Saved",
    "SavedRole",
    "SavedState",
    "Selection",
    "Spec",
    "TargetError",
    "Timed",
    "Times",
    "UsageError",
    "Way",
    "Write",
    "__version__",
    "diff",
    "grads",
    "load",
    "memory",
    "paths",
    "plot_grads",
    "record",
    "render",
    "show",
    "times",
    "trace",
]

_HOMES = {
    "api": (
        "Capture",
        "grads",
        "load",
        "memory",
        "paths",
        "plot_grads",
        "record",
        "render",
        "show",
        "times",
        "trace",
    ),
    "comparison": ("Diff", "diff"),
    "errors": (
        "AgiError",
        "CaptureError",
        "ExpressionError",
        "FunctionError",
        "NoGraphError",
        "RenderError",
        "TargetError",
        "UsageError",
    ),
    "model.gradients": ("Gradient", "Reason"),
    "model.diff": ("Difference",),
    "model.flow": ("Cut", "CutKind", "Write"),
    "model.graph": ("Graph",),
    "model.memory": ("Held", "Memory", "Packed"),
    "model.paths": ("Paths", "Way"),
    "model.places": ("Module", "Place"),
    "model.rows": ("Call", "Edge", "Leaf", "Node", "Root", "Saved"),
    "model.profile": ("Profile",),
    "model.selection": ("Selection",),
    "model.times": ("Outside", "Timed", "Times"),
    "model.tables": ("Kind", "SavedRole", "SavedState", "Spec"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
