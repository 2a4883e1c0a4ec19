"""Everything that depends on how one release of torch differs from another.

The rest of the package asks here and stays free of version checks. All of it is autograd's private
surface, read and never changed.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import torch
from torch.autograd import graph as autograd_graph
from torch.utils._python_dispatch import _disable_current_modes

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


def next_sequence() -> int:
    """Give the number that the next node made on this thread will have."""
    return int(torch.autograd._get_sequence_nr())  # type: ignore[attr-defined]


def sequence_of(node: GraphNode | None) -> int:
    """Give the number of a node among those made on its thread, -1 where there is no node."""
    return -1 if node is None else int(node._sequence_nr())


def made_by(tensor: torch.Tensor) -> GraphNode | None:
    """Give the node that made a tensor; None where none did, or it cannot be told any more."""
    try:
        return tensor.grad_fn
    except RuntimeError:  # a view of what was overwritten may have lost its own
        return None


def is_leaf(tensor: torch.Tensor) -> bool:
    """Tell whether no operation made a tensor."""
    try:
        return bool(tensor.is_leaf)
    except RuntimeError:  # as above: one that could not be told
        return False


def base_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """Give the tensor that this one is a view of."""
    return None if tensor.is_inference() else tensor._base


def version_of(tensor: torch.Tensor) -> int:
    """Count the in-place writes to a tensor, -1 where torch does not."""
    return -1 if tensor.is_inference() else tensor._version


def in_capture() -> bool:
    """Tell whether a CUDA graph is being captured, which reading any number would break."""
    started: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return started and torch.cuda.is_current_stream_capturing()


def in_transform() -> bool:
    """Tell whether a transform of `torch.func` is at work, whose tensors stand for others."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def stands_for_another(tensor: torch.Tensor) -> bool:
    """Tell a tensor that a transform of `torch.func` wraps others in, without memory."""
    return bool(torch._C._functorch.is_functorch_wrapped_tensor(tensor))


def without_modes() -> AbstractContextManager[Any]:
    """Let what torch does for a while pass by every mode and tensor class of the program."""
    if torch._C._len_torch_dispatch_stack():
        from torch.utils._python_dispatch import _disable_current_modes

        stack = ExitStack()
        stack.enter_context(_disable_current_modes())
        stack.enter_context(torch._C.DisableTorchFunction())
        return stack
    mode: AbstractContextManager[Any] = torch._C.DisableTorchFunction()
    return mode


def load_forward_formulas() -> None:
    """Import what torch would import in the midst of its first forward mode.

    Torch warns there of its own use of `torch.jit`, which a program that makes errors of warnings
    would take for a failure of the function.
    """
    with warnings.catch_warnings(), suppress(ImportError):
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


@contextmanager
def unseen() -> Iterator[None]:
    """Compute something that neither autograd nor a mode of the program's gets to see."""
    with torch.no_grad(), torch._C.DisableTorchFunction(), _disable_current_modes():
        yield


def torch_profile(device: str, *, all_threads: bool) -> Any:
    """Make a profile of torch's, to be entered: of this thread and its allocations, or of all.

    `device` is `cuda` where its kernels are to be timed, else empty.
    """
    options: dict[str, Any] = {"use_device": device} if device else {}
    if all_threads:
        config = torch._C._profiler._ExperimentalConfig(profile_all_threads=True)
        options["experimental_config"] = config
    return torch.autograd.profiler.profile(
        use_kineto=True, profile_memory=not all_threads, **options
    )


def hush_warnings() -> Callable[[], None]:
    """Keep torch's C++ from logging warnings; returns the undo.

    While allocations are profiled it logs one for a block that is older than the profile. There is
    no other switch than the variable it looks at, where the library shows that.
    """
    library = Path(torch.__file__).parent / "lib" / "libc10.so"
    try:
        level = ctypes.c_int.in_dll(ctypes.CDLL(str(library)), "FLAGS_caffe2_log_level")
    except (OSError, ValueError):
        return lambda: None
    before, level.value = level.value, max(level.value, _ERROR)
    return partial(setattr, level, "value", before)


#: The level of errors in torch's C++ log.
_ERROR = 2


def is_on_device(event: Any) -> bool:
    """Tell an event of a device, a kernel or a copy, from one of the host."""
    return bool(event.device_type() != torch._C._autograd.DeviceType.CPU)


def record_function(name: str) -> Any:
    """Make a mark for the profiler that goes past the dispatcher, where the program's modes are."""
    return torch._C._profiler._RecordFunctionFast(name)


def when_cuda_starts(callback: Callable[[], None]) -> None:
    """Call back when the program first uses CUDA; at once where it has, never without CUDA."""
    if torch.version.cuda is not None or torch.version.hip is not None:
        torch.cuda._lazy_call(callback)  # type: ignore[no-untyped-call]


#: Whether a saved tensor can be looked at without running the user's unpack hooks. Not so before
#: torch 2.12, where reading `_saved_*` is the only way and runs them; 2.11 has the first of these.
SHOWS_SAVED_TENSORS = all(
    hasattr(torch._C._autograd.SavedTensor, name) for name in ("data", "unpack")
)
