"""How long a step took, summed up by operation, module, line or node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is the program's to import first
    from autograd_inspect.model.places import Module, Place
    from autograd_inspect.model.profile import Profile


@dataclass(frozen=True, slots=True)
class Timed:
    """The time of one operation, module, line or node.

    All times are in nanoseconds, all sizes in bytes. The times of all groups add up. Those in
    total do not: they include submodules, what a line called, and nodes made within a node's
    backward.

    name            of the operation, module, line or node
    calls           how many nodes
    forward         time of what made them
    backward        time of the nodes themselves
    forward_total   the former with all that lies within
    backward_total  the latter likewise
    memory          bytes allocated in both, what was freed again included
    device          time of their kernels; 0 where none were timed
    place           the line; None where none was recorded
    module          the module; None outside of modules
    variable        what the node's output was bound to
    node            its number, -1 for groups
    """

    name: str
    calls: int
    forward: int
    backward: int
    forward_total: int
    backward_total: int
    memory: int
    device: int
    place: Place | None = None
    module: Module | None = None
    variable: str = ""
    node: int = -1

    @property
    def time(self) -> int:
        """Forward and backward."""
        return self.forward + self.backward

    @property
    def total(self) -> int:
        """The same with all that lies within."""
        return self.forward_total + self.backward_total


@dataclass(frozen=True, slots=True)
class Outside:
    """An operation that ran, and belongs to no node of the graph.

    name      of the operation, or of another graph's node
    backward  it ran during the captured backward, not before
    calls     how often
    time      what it took, without nodes of the graph within it
    memory    bytes it allocated
    device    time of its kernels
    """

    name: str
    backward: bool
    calls: int
    time: int
    memory: int
    device: int


@dataclass(frozen=True, slots=True)
class Times:
    """Where the time of a step went.

    by        `op`, `module`, `line` or `node`
    rows      the groups, slowest first, as many as were asked for
    groups    how many groups there are
    nodes     of the graph; `profile.linked` says how many were found in the profile
    forward   sum over the nodes of the graph, as in `Timed`
    backward  likewise
    outside   what ran outside of the graph, slowest first
    profile   what is known of the profile as a whole
    """

    by: str
    rows: tuple[Timed, ...]
    groups: int
    nodes: int
    forward: int
    backward: int
    memory: int
    device: int
    outside: tuple[Outside, ...]
    profile: Profile

    @property
    def time(self) -> int:
        """The time of the graph's nodes, forward and backward."""
        return self.forward + self.backward

    @property
    def time_outside(self) -> int:
        """The time of what ran outside of the graph."""
        return sum(one.time for one in self.outside)

    @property
    def measured(self) -> int:
        """The time of all operations: that of the graph's nodes and what ran outside of it."""
        return self.time + self.time_outside

    def share(self, time: int) -> float:
        """Give the share of a time in what was measured, from 0 to 1."""
        return time / self.measured if self.measured else 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A level of a flame graph: a module, a line or an operation, with its place where known."""

    name: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A time in nanoseconds, and the frames that it was spent in, outermost first."""

    stack: tuple[Frame, ...]
    time: int


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of one flame graph, in the order in which things ran."""

    name: str
    samples: tuple[Sample, ...]
