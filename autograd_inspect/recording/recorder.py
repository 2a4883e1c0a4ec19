"""The recorder: on while the program runs, read when a graph is captured."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from autograd_inspect.autograd._torch import in_backward
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.capture import Recording
from autograd_inspect.recording.creation import Creation
from autograd_inspect.recording.origins import ModulePaths, Places, Record, origins_of
from autograd_inspect.recording.sites import spot_of

Engine = Callable[..., Any]


@dataclass(slots=True)
class Recorder:
    """Remembers of every node which line made it, in which module call.

    running  the one that is on, if any: anomaly mode is there once per process
    """

    running: ClassVar[Recorder | None] = None
    _creation: Creation = field(init=False)

    def __post_init__(self) -> None:
        self._creation = Creation(spot_of)

    @property
    def level(self) -> Recording:
        """How closely it watches."""
        return Recording.LIGHT

    def start(self) -> None:
        """Begin to record."""
        Recorder.running = self
        self._creation.start()

    def stop(self) -> None:
        """Record no more; what was remembered stays with the nodes."""
        self._creation.stop()
        Recorder.running = None

    def around(self, engine: Engine) -> Engine:
        """Make the function that runs in the engine's place."""

        def run_backward(*arguments: Any, **options: Any) -> Any:
            if in_backward():
                return engine(*arguments, **options)
            makes_nodes = bool(arguments[3]) if len(arguments) > 3 else False
            mark = spot_of(sys._getframe(1)) if makes_nodes else ()
            return self._creation.run_backward(
                lambda: engine(*arguments, **options), mark, makes_nodes=makes_nodes
            )

        return run_backward

    def record_of(self, walked: Walk, modules: ModulePaths, start: Path) -> Record:
        """Tell where the nodes of a graph come from, at the moment of capture."""
        places = Places(modules, start)
        return Record(places, origins_of(walked, places))
