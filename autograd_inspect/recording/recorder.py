"""The recorder: on while the program runs, read when a graph is captured."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from autograd_inspect.autograd._torch import hide_from_compilers, in_backward, is_tracing
from autograd_inspect.autograd.walker import Names, Walk
from autograd_inspect.model.capture import Recording
from autograd_inspect.model.graph import Graph
from autograd_inspect.recording.creation import Creation
from autograd_inspect.recording.crossings import Crossings
from autograd_inspect.recording.custom import CustomCalls
from autograd_inspect.recording.flow import Flow
from autograd_inspect.recording.interception import enter
from autograd_inspect.recording.lives import Lives
from autograd_inspect.recording.origins import Origins, origins_of
from autograd_inspect.recording.places import ModulePaths, Places
from autograd_inspect.recording.sites import spot_of
from autograd_inspect.recording.unrecorded import Unrecorded

Engine = Callable[..., Any]


@dataclass(slots=True, eq=False)
class Record:
    """What the recorder knows of one captured graph.

    trouble  an error of ours, kept so that it never surfaced inside the user's program
    """

    places: Places
    origins: Origins
    crossings: Crossings | None
    trouble: BaseException | None
    _graph: Graph | None = None
    _leaves: Names = field(default_factory=dict)

    def trace_back(self, graph: Graph, suspects: Mapping[int, int]) -> Graph:
        """Give the graph with the line at which values that are not finite first came up.

        `suspects` are the addresses of storages that held such values, by row of `births`.
        """
        born = self.crossings.flow.values.born if self.crossings else {}
        births = list(graph.births)
        for row, address in suspects.items():
            if address in born:
                first = born[address].first
                made = self.places.stack(first.spot)
                births[row] = replace(births[row], made=made, maker=first.op)
        return replace(graph, births=tuple(births))

    def put_into(self, graph: Graph, made: Mapping[int, str], leaves: Names) -> Graph:
        """Give the graph with all of it.

        `made` are the names that live variables give to nodes, `leaves` those of tensors by `id`.
        """
        self._graph, self._leaves = self.origins.put_into(graph, made), leaves
        return self._finish(self._graph)

    def with_later_cuts(self) -> Graph:
        """Give the graph once more, with the cuts that were seen since."""
        assert self._graph is not None, "put_into comes first"
        return self._finish(self._graph)

    def _finish(self, graph: Graph) -> Graph:
        if self.crossings is not None:
            graph = self.crossings.put_into(graph, self.places, self._leaves)
        return replace(
            graph,
            places=tuple(self.places.places),
            stacks=tuple(self.places.stacks),
            modules=tuple(self.places.modules),
        )


class Recorder:
    """Remembers of every node which line made it, in which module call.

    With `watch` it follows values on the thread that starts it, too: cuts and in-place writes. With
    `custom` it keeps what custom Functions were called with.
    """

    def __init__(self, *, watch: bool = False, custom: bool = False) -> None:
        self._flow = Flow() if watch else None
        mark = self._flow.mark if self._flow else spot_of
        self.custom = CustomCalls(mark) if custom else None
        self._creation = Creation(self.custom.mark if self.custom else mark)
        self._leave: Callable[[], None] = lambda: None
        self._is_on = False

    @property
    def level(self) -> Recording:
        """How closely it watches."""
        return Recording.FULL if self._flow else Recording.LIGHT

    @property
    def lives(self) -> Lives | None:
        """What happened to the tensors that learn, if values are followed."""
        return self._flow.lives if self._flow is not None else None

    @property
    def flow(self) -> Flow | None:
        """The close watch; None without `watch`."""
        return self._flow

    @property
    def saw_cuts(self) -> bool:
        """Whether any place was seen to cut the graph."""
        return self._flow is not None and any(True for _ in self._flow.cuts)

    def start(self) -> None:
        """Begin to record."""
        self._is_on = True
        hide_from_compilers(__name__.partition(".")[0])
        self._creation.start()
        if self._flow is not None:
            self._leave = enter(self._flow)

    def stop(self) -> None:
        """Record no more; what was remembered stays with the nodes. Stopping twice is no fault."""
        if self._is_on:
            self._is_on = False
            self._leave()
            self._creation.stop()

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """Take what torch does for a while as ours, not the program's."""
        if self._flow is None:
            yield
            return
        before, self._flow.asleep = self._flow.asleep, True
        try:
            yield
        finally:
            self._flow.asleep = before

    def around(self, engine: Engine) -> Engine:
        """Make the function that runs in the engine's place."""

        def run_backward(*arguments: Any, **options: Any) -> Any:
            if in_backward() or is_tracing(arguments[0]):
                return engine(*arguments, **options)
            frame = sys._getframe(1)
            mark = spot_of(frame)

            def run() -> Any:
                return self._creation.run_backward(lambda: engine(*arguments, **options), mark)

            flow = self._flow
            return run() if flow is None else flow.run_backward(run, arguments[0], frame)

        return run_backward

    def unrecorded(self, tensor: torch.Tensor) -> Unrecorded | None:
        """Tell where a tensor was made that gradients were off for, None for an ordinary one."""
        return self._flow.unrecorded.of(tensor) if self._flow is not None else None

    def leaves(self) -> list[torch.Tensor]:
        """List the leaves behind cuts, which the captured graph may not lead to."""
        cuts = self._flow.cuts if self._flow else ()
        found = (leaf() for cut in cuts for leaf in cut.leaves.values())
        return [leaf for leaf in found if leaf is not None]

    def record_of(
        self, walked: Walk, modules: ModulePaths, start: Path, lost: Sequence[torch.Tensor] = ()
    ) -> Record:
        """Tell where the nodes of a graph come from, at the moment of capture.

        `lost` are tensors that should have been roots, and have no graph.
        """
        flow = self._flow
        if self.custom is not None:
            self.custom.follow(walked)
        places = Places(modules, start)
        origins = origins_of(walked, places)
        crossings = Crossings.seen_by(flow, walked, lost) if flow else None
        trouble = self._creation.trouble or (flow.trouble if flow else None)
        return Record(places, origins, crossings, trouble)
