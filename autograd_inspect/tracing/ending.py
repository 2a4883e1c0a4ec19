"""After the program: what to capture if no backward call was the one, and why there may be none."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch

from autograd_inspect.autograd._torch import made_by
from autograd_inspect.errors import AgiError, NoGraphError
from autograd_inspect.model.capture import About, Capture
from autograd_inspect.tracing.expression import (
    Expression,
    evaluate_at_end,
    graph_names,
    is_a,
    kind_of,
    tensors_in,
)
from autograd_inspect.tracing.frames import Scope
from autograd_inspect.tracing.moment import (
    Moment,
    NamedRoot,
    Retained,
    Scene,
    pass_backward,
    starting_gradients,
)
from autograd_inspect.tracing.profiling import aside, timed
from autograd_inspect.tracing.watch import Wish


class GraphlessError(NoGraphError):
    """What was to be traced is there, and has no graph."""

    def __init__(self, message: str, *, hint: str = "", tensors: Iterable[torch.Tensor]) -> None:
        super().__init__(message, hint=hint)
        self.tensors = list(tensors)


def capture_at_end(
    wish: Wish,
    scopes: Sequence[Scope],
    about: About,
    scene: Scene,
    graphless: Sequence[torch.Tensor],
) -> tuple[Moment, Retained]:
    """Trace what EXPR gives, or else the latest tensor with a graph, among the script's variables.

    `scopes` are those the program died in, innermost first, and its globals last; `graphless` what
    the program called backward on in vain. Raises
    ExpressionError where EXPR fails and NoGraphError, with the reason, where there is no graph.
    """
    if wish.expression is not None:
        value, scope = evaluate_at_end(wish.expression, scopes)
        roots = _with_graph(wish.expression, value, scope)
    else:
        root, scope = latest_root(scopes, graphless)
        roots = [root]
    about = replace(about, place=about.place or scope.place(scene.start))
    with aside(scene.profiling):
        moment = Moment.seize(roots, [scope, *scopes], about, scene)
    if scene.recorder is not None:
        scene.recorder.stop()
    if wish.curves:
        moment.keep_curves()
    retained = moment.retain(wish.retain, [scope, *scopes])
    if wish.backward:
        names = moment.root_names
        gradients = starting_gradients(wish.grad_output, [scope, *scopes], names)
        with timed(scene.profiling, moment.walked):
            pass_backward(moment, gradients)
    if scene.profiling is not None:
        scene.profiling.end()
    return moment, retained


def capture_cuts(
    lost: Sequence[torch.Tensor],
    scopes: Sequence[Scope],
    about: About,
    scene: Scene,
    error: AgiError,
) -> Capture | None:
    """Make a capture of no graph but of the cuts that are why there is none; None without cuts.

    `lost` are the tensors that should have had a graph.
    """
    if scene.recorder is None or not scene.recorder.saw_cuts:
        return None
    about = replace(about, partial=error.message)
    moment = Moment.seize([], scopes, about, scene, lost)
    scene.recorder.stop()
    return moment.develop()


def latest_root(
    scopes: Sequence[Scope], graphless: Sequence[torch.Tensor] = ()
) -> tuple[NamedRoot, Scope]:
    """Find the tensor that was computed last: its sequence number is the highest."""
    found = [
        (made._sequence_nr(), name + path, tensor, scope)
        for scope in scopes
        for name, value in list(scope.variables.items())
        if not name.startswith("__")
        for path, tensor in tensors_in(value).items()
        if (made := made_by(tensor)) is not None
    ]
    if not found and graphless:
        why = f"backward was called on something without a graph ({why_no_graph()})"
        raise GraphlessError(why, tensors=graphless)
    if not found:
        raise NoGraphError(
            f"nothing to trace: no backward call, and no variable holds a tensor with a grad_fn "
            f"({why_no_graph()})",
            hint="name a tensor: agi trace script.py:loss",
        )
    _, name, tensor, scope = max(found, key=lambda one: one[0])
    return (name, tensor), scope


def _with_graph(expression: Expression, value: object, scope: Scope) -> list[NamedRoot]:
    tensors = tensors_in(value)
    roots: list[NamedRoot] = [
        (expression.name_of(path), t) for path, t in tensors.items() if made_by(t) is not None
    ]
    if roots:
        return roots
    having = graph_names(scope.variables)
    hint = f"tensors with a graph: {', '.join(having[:8])}" if having else ""
    why = f"{expression.text} {why_without(value, tensors)}"
    raise GraphlessError(why, hint=hint, tensors=tensors.values())


def why_without(value: object, tensors: dict[str, torch.Tensor]) -> str:
    """Say why a value has no graph, to follow the user's expression in a sentence."""
    if not tensors:
        if isinstance(value, int | float | complex):
            kind = type(value).__name__
            return f"is a plain number ({kind} {value}): only tensors have a graph"
        return f"is {kind_of(value)} and holds no tensor"
    tensor = next(iter(tensors.values()))
    if tensor.requires_grad:
        return "is a leaf: the program made it itself, so there is no graph behind it"
    if tensor.is_inference():
        return "was computed under inference_mode, which records no graph"
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return f"has dtype {tensor.dtype}: only floating-point tensors can require grad"
    return f"does not require grad ({why_no_graph()})"


def why_no_graph() -> str:
    """Say what can be seen at the end about why nothing was recorded."""
    # Seconds that processes of the program's own have computed: one may have trained.
    elsewhere = "; the processes it started are not watched" if os.times().children_user > 1 else ""
    return _why_not_here() + elsewhere


def _why_not_here() -> str:
    if not torch.is_grad_enabled():
        return "gradients are switched off: set_grad_enabled(False) was never undone"
    learning = _tensors_that_require_grad()
    if not learning:
        return "no tensor of the program requires grad"
    count = "1 tensor requires" if learning == 1 else f"{learning} tensors require"
    return (
        f"{count} grad; this was computed from none such, under no_grad, "
        "or behind detach, .data, .item() or the like"
    )


def _tensors_that_require_grad() -> int:
    tensors = (one for one in gc.get_objects() if is_a(one, torch.Tensor))
    return sum(bool(tensor.requires_grad) for tensor in tensors)
