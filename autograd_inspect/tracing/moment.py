"""One moment of capture: what was asked for, and the capture that comes of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from torch.autograd.graph import GradientEdge

from autograd_inspect._version import __version__
from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS
from autograd_inspect.autograd.gradients import gradients_of
from autograd_inspect.autograd.holding import bytes_of
from autograd_inspect.autograd.probes import Probes, probe_for
from autograd_inspect.autograd.structure import release_safely
from autograd_inspect.autograd.walker import Walk, walk, with_names, with_owners
from autograd_inspect.errors import ExpressionError, UsageError
from autograd_inspect.model.capture import About, Backward, Capture, Recording
from autograd_inspect.model.curves import Curves
from autograd_inspect.model.gradients import Gradients
from autograd_inspect.model.levels import Probe
from autograd_inspect.recording.recorder import Record, Recorder
from autograd_inspect.tracing.curves import Sketch, curves_of, sketches_of
from autograd_inspect.tracing.expression import Expression, evaluate_at_end, kind_of, tensors_in
from autograd_inspect.tracing.frames import Scope, receiver, user_place
from autograd_inspect.tracing.names import Named, find_names
from autograd_inspect.tracing.optimizers import held_by_optimizers
from autograd_inspect.tracing.profiling import Profiling
from autograd_inspect.tracing.sightings import Arrivals, note_gradients, sightings, stored_gradient

Root = torch.Tensor | GradientEdge
Shape = tuple[int | str, ...]
NamedRoot = tuple[str, Root]
"""A root and its name, empty where it is still to be found."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where captures are taken.

    start      the directory that the program was started in
    recorder   knows where nodes come from; None where nothing is recorded
    profiling  times the program; None where nothing is timed
    probe      how closely to watch backward; None where the size of the graph is to decide
    optimizers whether to ask which tensors they hold, which goes through all objects there are
    """

    start: Path
    recorder: Recorder | None = None
    probe: Probe | None = None
    profiling: Profiling | None = None
    optimizers: bool = True


@dataclass(slots=True)
class Moment:
    """The roots at the moment of capture, walked; becomes a `Capture` once backward is over.

    Made before the backward, because that frees what the nodes saved.
    """

    walked: Walk
    named: Named
    root_names: list[str]
    about: About
    probes: Probes
    arrivals: Arrivals = field(default_factory=Arrivals)
    record: Record | None = None
    sketches: Sequence[Sketch] | None = None

    @classmethod
    def seize(
        cls,
        roots: Sequence[NamedRoot],
        scopes: Sequence[Scope],
        about: About,
        scene: Scene,
        lost: Sequence[torch.Tensor] = (),
    ) -> Moment:
        """Walk the roots and name what the program's scopes can name, unnamed roots included.

        `lost` are tensors that should have been roots, and have no graph.
        """
        walked = walk([root for _, root in roots])
        recorder = scene.recorder
        named = find_names(scopes, [*walked.leaves, *(recorder.leaves() if recorder else ())])
        walked = with_owners(walked, named.parameters.values(), named.buffers, named.reached)
        root_names = [name or named.by_id.get(id(root), "") for name, root in roots]
        if root_names == [""]:
            root_names = [receiver(scopes)]
        place = about.place or user_place(scopes, scene.start)
        held = frozenset(map(id, held_by_optimizers() if scene.optimizers else ()))
        arrivals = Arrivals(before=note_gradients([*walked.leaves, *named.tensors]), held=held)
        level = recorder.level if recorder else Recording.NONE
        probes = Probes(walked, probe_for(walked.graph, scene.probe))
        weights = [*named.parameters.values(), *filter(_is_parameter, walked.leaves)]
        about = replace(
            about,
            place=place,
            recording=level,
            parameters=bytes_of(weights),
            gradients=bytes_of(one for one in map(stored_gradient, weights) if one is not None),
        )
        record = recorder.record_of(walked, named.modules, scene.start, lost) if recorder else None
        return cls(walked, named, root_names, about, probes, arrivals, record)

    def retain(self, names: Sequence[str], scopes: Sequence[Scope]) -> Retained:
        """Watch the gradients of tensors named by the user until the returned object is closed."""
        return Retained({name: find_tensor(name, scopes) for name in names})

    def keep_curves(self) -> None:
        """Keep the values of one-dimensional leaves, and of what was made of them."""
        self.sketches = sketches_of(self.walked, self.named)

    def note(self, *notes: str, error: str = "") -> None:
        """Add to what the capture says of itself."""
        self.about = replace(
            self.about, notes=self.about.notes + notes, error=error or self.about.error
        )

    def develop(self) -> Capture:
        """Measure the gradients that arrived and let go of the program's graph."""
        named = self.named
        graph = with_names(self.walked, named.by_id, self.root_names, named.aliases)
        graph = self.probes.put_into(graph)
        if self.record is not None:
            graph = self.record.trace_back(graph, self.probes.suspects)
            graph = self.record.put_into(graph, self._made(), named.by_id)
        gradients, omitted = self._gradients()
        omitted += self.probes.missed()
        if self.record is not None and self.record.trouble is not None:
            omitted.append(f"some lines or cuts ({self.record.trouble!r})")
        if not SHOWS_SAVED_TENSORS:
            omitted.append("saved tensors (torch 2.12 or newer shows them)")
        about = replace(
            self.about,
            backward=self.arrivals.backward,
            created=_now(),
            omitted=tuple(omitted),
            versions=versions(),
            probe=self.probes.level,
        )
        curves = Curves() if self.sketches is None else curves_of(self.sketches, self.arrivals)
        capture = Capture(graph, gradients, about, curves)
        release_safely(self.walked.structure)
        return capture

    def _gradients(self) -> tuple[Gradients, list[str]]:
        """Measure the gradients of the leaves, and say which could not be measured."""
        if self.probes.level is Probe.NONE:
            return gradients_of(())
        return gradients_of(sightings(self.walked, self.named, self.arrivals))

    def _made(self) -> dict[int, str]:
        """Name the nodes of the graph that the program still holds, or whose tensor it holds."""
        number = self.walked.structure.index.get
        found = ((number(node), name) for node, name in self.named.made.items())
        return {node: name for node, name in found if node is not None}


def _is_parameter(tensor: torch.Tensor) -> bool:
    return isinstance(tensor, torch.nn.Parameter)


class Retained:
    """Gradients of intermediate tensors, kept by hooks that are gone after `close`.

    A hook and not `retain_grad`, which would change what the program sees in `.grad`.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self._tensors = tensors
        self._gradients: dict[str, torch.Tensor] = {}
        self._hooks = [
            tensor.register_hook(self._keeper(name))  # type: ignore[no-untyped-call]
            for name, tensor in tensors.items()
            if tensor.requires_grad
        ]

    def close(self) -> dict[str, tuple[torch.Tensor, torch.Tensor | None]]:
        """Take the hooks away and give tensor and gradient by name."""
        for hook in self._hooks:
            hook.remove()
        return {name: (t, self._gradients.get(name)) for name, t in self._tensors.items()}

    def _keeper(self, name: str) -> Any:
        def keep(gradient: torch.Tensor) -> None:
            self._gradients[name] = gradient.detach().clone()

        return keep


def find_tensor(name: str, scopes: Sequence[Scope]) -> torch.Tensor:
    """Find the tensor that the user names, in the innermost scope that knows it."""
    expression = Expression(name)
    for scope in scopes:
        value = expression.value_or_none(scope)
        if isinstance(value, torch.Tensor):
            if value.requires_grad:
                return value
            raise UsageError(
                f"--retain {name}: this tensor does not require grad",
                hint="name a tensor on the way from the leaves to the root",
            )
    where = f" in {scopes[0].code.co_name}" if scopes and scopes[0].code else ""
    raise ExpressionError(
        f"--retain {name}: no tensor of that name where backward was called{where}",
        hint="a variable of a function that has returned by then cannot be found",
    )


def versions() -> tuple[tuple[str, str], ...]:
    """Give the versions that a reader of the capture may want to know."""
    return (
        ("agi", __version__),
        ("torch", torch.__version__),
        ("python", platform.python_version()),
    )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def pass_backward(moment: Moment, gradients: Sequence[torch.Tensor] | None) -> None:
    """Send gradients from the roots to the leaves, leaving every `.grad` of the program alone.

    The graph is kept: the program may still want to run its own backward. A graph that an earlier
    backward has freed is no error, its leaves hold what that backward left.
    """
    walked, arrivals = moment.walked, moment.arrivals
    table = walked.graph.root_table
    roots = [
        GradientEdge(walked.nodes[node], output)
        for node, output in zip(table.node.tolist(), table.output.tolist(), strict=True)
    ]
    shapes = [root.spec.shape if root.spec else None for root in walked.graph.roots]
    if gradients is not None:
        _check_start([tuple(gradient.shape) for gradient in gradients], shapes)
    elif any(shape != () for shape in shapes):
        moment.note("a root is not a scalar: --grad-output EXPR gives the gradient to start with")
        return
    # A leaf that has been frozen since takes no gradient, which is no fault of the others.
    leaves = [leaf for leaf in walked.leaves if leaf.requires_grad]
    try:
        with moment.probes:
            found = leaves and torch.autograd.grad(
                roots, leaves, gradients, retain_graph=True, allow_unused=True
            )
    except RuntimeError as error:
        freed = "second time" in str(error)
        arrivals.backward = Backward.EARLIER if freed else Backward.FAILED
        moment.note(error="" if freed else f"{type(error).__name__}: {error}")
        return
    arrivals.record(leaves, found)
    arrivals.backward = Backward.OURS


def starting_gradients(
    grad_output: Expression | None, scopes: Sequence[Scope], names: Sequence[str] = ()
) -> list[torch.Tensor] | None:
    """Evaluate `--grad-output` where its names are known; None where there is none to evaluate.

    `names` are those of the roots, in their order.
    """
    if grad_output is None:
        return None
    values = (grad_output.value_or_none(scope) for scope in scopes)
    value = next((one for one in values if one is not None), None)
    if value is None:
        value, _ = evaluate_at_end(grad_output, scopes)
    tensors = tensors_in(value)
    if not tensors:
        raise UsageError(
            f"--grad-output {grad_output.text} gives {kind_of(value)}, not a tensor",
            hint="give one tensor for each root, of the root's shape",
        )
    return [tensors[path] for path in _in_order_of_roots(list(tensors), names)]


def _in_order_of_roots(paths: list[str], names: Sequence[str]) -> list[str]:
    """Order the parts of a gradient by the roots: by the keys of dicts where both have the same."""
    parts = [[path for path in paths if _leads_to(path, name)] for name in names]
    chosen = [found[0] for found in parts if len(found) == 1]
    by_name = len(set(chosen)) == len(paths) == len(names)
    return chosen if by_name else paths


def _leads_to(path: str, name: str) -> bool:
    """Tell whether a root's name, `outs['b'][0]`, is behind a key that a gradient has: `['b']`."""
    return bool(path) and (name.endswith(path) or f"{path}[" in name or f"{path}." in name)


def _check_start(given: list[Shape], wanted: list[Shape | None]) -> None:
    """Raise UsageError where the gradients to start with do not fit the roots; torch may not."""
    if len(given) != len(wanted):
        raise UsageError(
            f"the gradient to start with is {_tensors(len(given))} for "
            f"{len(wanted)} {'root' if len(wanted) == 1 else 'roots'}",
            hint="give one tensor for each root, of the root's shape",
        )
    for one, root in zip(given, wanted, strict=True):
        if one != root:
            raise UsageError(
                f"the gradient to start with has shape {list(one)}, the root has {list(root or ())}"
            )


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count} tensors"
