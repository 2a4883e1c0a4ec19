"""A capture: a graph, the gradients that arrived, and what is known of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from autograd_inspect.model.curves import Curves
from autograd_inspect.model.gradients import Gradients
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.levels import Probe
from autograd_inspect.model.places import Place
from autograd_inspect.model.profile import Profile


class Backward(str, Enum):
    """Who ran the backward whose gradients a capture holds."""

    SCRIPT = "script"
    OURS = "agi"
    EARLIER = "earlier"
    FAILED = "failed"
    NOT_RUN = "not run"


class Recording(str, Enum):
    """How closely the program was watched while it ran."""

    NONE = "none"
    LIGHT = "light"
    FULL = "full"

    @property
    def recorded(self) -> str:
        """What was recorded of the running program."""
        return _RECORDED[self]

    @property
    def missing(self) -> str:
        """What a closer watch would add, and how to have it; empty for the closest."""
        return _MISSING[self]


_RECORDED = {
    Recording.NONE: "the graph alone",
    Recording.LIGHT: "source lines, modules, names",
    Recording.FULL: "source lines, modules, names, cuts, in-place writes",
}
_MISSING = {
    Recording.NONE: "without --no-record: source lines, modules, names",
    Recording.LIGHT: "with --watch: cuts, in-place writes",
    Recording.FULL: "",
}


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
    recording   how closely the program was watched
    parameters  bytes of the parameters that the program's modules own, -1 where not counted
    gradients   bytes of the gradients that they had when the graph was walked, -1 likewise
    probe       how closely the backward was watched
    profile     what was timed, None where nothing was
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
    recording: Recording = Recording.NONE
    parameters: int = -1
    gradients: int = -1
    probe: Probe = Probe.LEAVES
    profile: Profile | None = None

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
    curves: Curves = field(default_factory=Curves)

    def __repr__(self) -> str:
        return f"<Capture of {self.about.target}: {self.graph!r}>"
