"""A capture: a graph, the gradients that arrived, and what is known of the run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from autograd_inspect.model.gradients import Gradients
from autograd_inspect.model.graph import Graph


class Backward(str, Enum):
    """Who ran the backward whose gradients a capture holds."""

    SCRIPT = "script"
    OURS = "agi"
    EARLIER = "earlier"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's program. `file` is relative to the starting directory if below it."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        inside = "" if self.function in {"", "<module>"} else f" in {self.function}"
        return f"{self.file}:{self.line}{inside}"


@dataclass(frozen=True, slots=True)
class About:
    """What is known of the run that a capture was taken from.

    target      what was run, as typed but for EXPR; for the library, what was given to it
    arguments   the script's arguments
    expression  EXPR, empty where none was given
    created     UTC, ISO 8601
    place       where backward was called, or EXPR evaluated; None where there is no line
    call        `backward` or `autograd.grad`, empty where there was no such call
    number      the how-manieth such call of the run it was, from 1; 0 where there was none
    backward    who ran the backward
    error       what that backward raised, empty where it did not
    partial     why the capture is not complete, empty where it is
    omitted     what was not recorded
    notes       what the user should know of this capture
    versions    of agi, torch and python
    rank        the process's rank in a distributed run, None outside one
    """

    target: str
    arguments: tuple[str, ...] = ()
    expression: str = ""
    created: str = ""
    place: Place | None = None
    call: str = ""
    number: int = 0
    backward: Backward = Backward.NOT_RUN
    error: str = ""
    partial: str = ""
    omitted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    rank: int | None = None

    @property
    def source(self) -> str:
        """Target and expression as one types them: `train.py:loss`."""
        return f"{self.target}:{self.expression}" if self.expression else self.target


@dataclass(frozen=True, eq=False)
class Capture:
    """All that one look at a running program found; what an `.agi` file holds."""

    graph: Graph
    gradients: Gradients
    about: About

    def __repr__(self) -> str:
        return f"<Capture of {self.about.target}: {self.graph!r}>"
