"""Everything that depends on how one release of torch differs from another.

The rest of the package asks here and stays free of version checks. All of it is autograd's private
surface, read and never changed.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import CodeType
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


def in_transform() -> bool:
    """Tell whether a transform of `torch.func` is at work, whose tensors stand for others."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def load_forward_formulas() -> None:
    """Import what torch would import in the midst of its first forward mode.

    Torch warns there of its own use of `torch.jit`, which a program that makes errors of warnings
    would take for a failure of the function.
    """
    with warnings.catch_warnings(), contextlib.suppress(ImportError):
        warnings.simplefilter("ignore")
        importlib.import_module("torch._decomp.decompositions_for_jvp")


def runs_compiled_backward() -> bool:
    """Tell whether backward is compiled, too, as `torch._dynamo.compiled_autograd` does."""
    module = sys.modules.get("torch._dynamo.compiled_autograd")
    return bool(getattr(module, "compiled_autograd_enabled", False))


def without_anomaly_hint(message: object) -> object:
    """Give an error's message as it reads while anomaly mode is off."""
    if not isinstance(message, str):
        return message
    start, found, _ = message.partition(" Hint: the backtrace further above shows the operation")
    return f"{start}{_HINT}" if found else message


_HINT = (
    " Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
    "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
)


def hide_from_compilers(package: str) -> None:
    """Keep `torch.compile` from compiling functions of ours that run inside of what it runs."""
    frames = torch._C._dynamo.eval_frame
    if hasattr(frames, "skip_code"):
        skip: Callable[[CodeType], object] = frames.skip_code
    else:
        strategy = frames._FrameExecStrategy(frames._FrameAction.SKIP, frames._FrameAction.DEFAULT)
        skip = partial(_set_strategy, strategy=strategy)
    modules = [module for name, module in sys.modules.items() if name.startswith(f"{package}.")]
    for module in modules:
        for code in _code_in(vars(module).values(), module.__name__):
            skip(code)


def _set_strategy(code: CodeType, strategy: Any) -> None:
    torch._C._dynamo.eval_frame.set_code_exec_strategy(code, strategy)


def _code_in(values: Iterable[object], module: str) -> Iterator[CodeType]:
    """Give the code of all functions that a module defines, those inside of others included."""
    for value in values:
        if isinstance(value, CodeType):
            yield value
            yield from _code_in(value.co_consts, module)
        elif getattr(value, "__module__", None) != module:
            continue
        elif isinstance(value, type):
            yield from _code_in(vars(value).values(), module)
        else:
            for part in (value, *(getattr(value, name, None) for name in _ACCESSORS)):
                code = getattr(part, "__code__", None)
                if isinstance(code, CodeType):
                    yield from _code_in([code], module)


_ACCESSORS = ("__func__", "__wrapped__", "fget")


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
