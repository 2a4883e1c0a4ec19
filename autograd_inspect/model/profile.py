"""How long everything took: columns beside those of the nodes, and what ran outside of the graph.

All times are in nanoseconds, all sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.model.tables import Bytes, Ints, Longs


@dataclass(frozen=True, slots=True, eq=False)
class TimeTable:
    """One row per node, or none where nothing was timed; -1 where no event belongs to the node.

    `total` includes what other nodes took within a node's own event, which is not in `self`: the
    forward of a node that `create_graph` made within a backward is one. So the times in `self` add
    up. Times are the host's but for those named after the device: its kernels, -1 where there are
    none.

    forward         time of the forward operation that made the node, self
    forward_total   the same in total
    backward        time of the node itself in backward, all its evaluations, self
    backward_total  the same in total
    runs            how often backward evaluated it
    began           when its forward did, from the beginning of the profile
    backward_began  when its first evaluation did
    allocated       bytes that forward allocated, what it freed again included
    backward_allocated  the same of backward
    device          time on the device of what forward launched
    backward_device the same of backward
    """

    forward: Longs
    forward_total: Longs
    backward: Longs
    backward_total: Longs
    runs: Ints
    began: Longs
    backward_began: Longs
    allocated: Longs
    backward_allocated: Longs
    device: Longs
    backward_device: Longs


@dataclass(frozen=True, slots=True, eq=False)
class OutsideTable:
    """One row per operation that ran while the profile did and belongs to no node of the graph.

    name      row in `Graph.names`: `aten::randn`, or the backward of another graph's node
    backward  it ran during the captured backward, not before
    calls     how often
    time      self: what it took, without nodes of the graph within it
    """

    name: Ints
    backward: Bytes
    calls: Longs
    time: Longs
    allocated: Longs
    device: Longs


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of the profile as a whole.

    step      the how-manieth matching backward call it ended with; it began after the one before,
              or when the program had imported torch
    forward   from there to the captured backward call, without what we did ourselves
    backward  the captured backward call; -1 where there was none
    device    `cuda` where kernels were timed, else empty
    memory    whether allocations were counted
    linked    nodes that an event of the forward or the backward belongs to
    notes     what the figures alone would not tell
    """

    step: int
    forward: int
    backward: int
    device: str = ""
    memory: bool = True
    linked: int = 0
    notes: tuple[str, ...] = ()
