"""Say of every box where it comes from: the line below it, and the lines and module on hovering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.view import Origin
from autograd_inspect.passes.modules import Modules
from autograd_inspect.passes.part import Part, Rows, combined, is_leaf


@dataclass(frozen=True, slots=True, eq=False)
class Origins:
    """The distinct origins, and per box, stand-ins last, its row among them."""

    origins: tuple[Origin, ...]
    origin: Rows


def origins_of(part: Part, alone: Rows, modules: Modules) -> Origins:
    """Describe each place that boxes come from; `alone` is the call that made but this one box."""
    graph, table = part.graph, part.graph.node_table
    stack, call, leaf = (
        _with_stand_ins(column, len(alone))
        for column in (table.stack[part.node], table.call[part.node], is_leaf(graph)[part.node])
    )
    if max(stack.max(initial=-1), alone.max(initial=-1), call.max(initial=-1)) < 0:
        return Origins((Origin(),), np.zeros(len(alone), np.int64))
    key = combined(stack, call, alone, leaf)
    _, first, origin = np.unique(key, return_index=True, return_inverse=True)
    writer = _Writer(graph, modules)
    distinct = zip(*(column[first].tolist() for column in (stack, call, alone, leaf)), strict=True)
    return Origins(tuple(writer.origin(*row) for row in distinct), origin)


def _with_stand_ins(column: npt.NDArray[np.generic], boxes: int) -> Rows:
    """Fill a column of the nodes' boxes up with -1 for the stand-ins behind them."""
    filled = np.full(boxes, -1, np.int64)
    filled[: len(column)] = column
    return filled


class _Writer:
    """Writes origins; what many have in common is written once."""

    def __init__(self, graph: Graph, modules: Modules) -> None:
        self._graph = graph
        self._label = cache(modules.label)
        self._module_tip = cache(lambda row: f"in {', '.join(modules.tip(row))}")
        self._lines_tip = cache(lambda stack, leaf: tuple(self._told(stack, leaf=leaf)))

    def origin(self, stack: int, call: int, alone: int, leaf: int) -> Origin:
        """Write the origin that these rows stand for."""
        place = self._graph.place_of(stack)
        # A leaf was made elsewhere: what is known is the line that used it first.
        line = [place.short] if place and leaf < 1 else []
        module = [self._label(alone)] if alone >= 0 else []
        tip = self._lines_tip(stack, leaf > 0)
        if call >= 0:
            tip += (self._module_tip(call),)
        return Origin((*module, *line), tip)

    def _told(self, stack: int, *, leaf: bool) -> Iterator[str]:
        graph = self._graph
        library = graph.stacks[stack].library if stack >= 0 else -1
        words = ["first used at" if leaf else "made at", "called from"]
        if library >= 0:
            yield f"inside {graph.places[library]}"
        for number, line in enumerate(graph.lines_of(stack)):
            yield f"{words[min(number, 1)]} {line}"
