"""Probes on every node of a captured graph: what passes while backward runs, and how long it takes.

A node's hooks are the only place where both its gradients and what it saved can be seen: when
backward has gone on, neither is there. The hooks read, and give nothing back; they hold numbers and
no node, because a hook that holds a node further up keeps the graph alive for ever.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from functools import partial
from time import perf_counter_ns
from types import TracebackType
from typing import Any

import numpy as np
import torch

from autograd_inspect.autograd._torch import (
    in_transform,
    runs_compiled_backward,
    without_modes,
)
from autograd_inspect.autograd.births import all_finite, birth_at, suspect
from autograd_inspect.autograd.gradients import size_up
from autograd_inspect.autograd.holding import storages_of
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.levels import Probe
from autograd_inspect.model.probes import Birth, Passed, PassedTable

#: Above so many nodes only the leaves are measured unless asked otherwise: a node costs about as
#: much as a small operation.
MOST_NODES = 50_000
#: Births that are remembered: one NaN may make thousands.
_MOST_BIRTHS = 100

Gradients = tuple[torch.Tensor | None, ...]
Shape = tuple[int | str, ...]


def probe_for(graph: Graph, wish: Probe | None) -> Probe:
    """Give the level that was asked for, else one that the size of the graph bears."""
    if wish is not None:
        return wish
    return Probe.NODES if len(graph) <= MOST_NODES else Probe.LEAVES


class Probes:
    """Measures what a backward sends through a walked graph, for as long as it is entered.

    trouble  an error of ours, kept so that it never surfaces inside the user's program
    omitted  what could not be measured, and why
    suspects by birth, the address of the storage that held the first value that was not finite
    """

    def __init__(self, walked: Walk, level: Probe) -> None:
        self.level = level
        self.trouble: Exception | None = None
        self.omitted = ""
        self.suspects: dict[int, int] = {}
        self._walked = walked
        self._hooks: list[Any] = []
        count = len(walked.nodes)
        self._began = [0] * count
        self._spent = [-1] * count
        self._turns: list[int] = []
        self._rows: list[Passed] = []
        self._births: list[Birth] = []

    def __enter__(self) -> None:
        """Hang a hook before and after every node."""
        if not self.level.at_nodes:
            return
        if runs_compiled_backward():
            self.omitted = "what passed through the nodes (backward is compiled as a whole)"
            self.level = Probe.LEAVES
            return
        if self.level.of_gradients:
            self._prepare()
        after = self._measured if self.level.of_gradients else self._timed
        for number, node in enumerate(self._walked.nodes):
            # Cost: two hooks, each about a microsecond a node.
            self._hooks.append(node.register_prehook(partial(self._begin, number)))
            self._hooks.append(node.register_hook(partial(after, number)))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the hooks off again."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    @property
    def saw_nonfinite(self) -> bool:
        """Whether a node made a gradient NaN or infinite."""
        return bool(self._births)

    def missed(self) -> list[str]:
        """Say what was to be measured and could not."""
        failed = (
            [f"some of what passed through the nodes ({self.trouble!r})"] if self.trouble else []
        )
        return [self.omitted, *failed] if self.omitted else failed

    def put_into(self, graph: Graph) -> Graph:
        """Give the graph with what was measured."""
        if not self._turns:
            return graph
        turn = np.full(len(graph), -1, np.int32)
        turn[self._turns] = np.arange(len(self._turns))
        nodes = replace(graph.node_table, turn=turn, spent=np.array(self._spent, np.int64))
        if not self.level.of_gradients:
            return replace(graph, node_table=nodes)
        kinds = {
            one.name: float if one.name in {"norm", "max"} else np.int64 for one in fields(Passed)
        }
        return replace(
            graph,
            node_table=nodes,
            edge_table=replace(graph.edge_table, passed=np.array(self._passed, np.int32)),
            output_table=replace(graph.output_table, arrived=np.array(self._arrived, np.int32)),
            passed_table=PassedTable(
                **{
                    name: np.array([getattr(row, name) for row in self._rows], dtype)
                    for name, dtype in kinds.items()
                }
            ),
            births=tuple(self._births),
        )

    def _prepare(self) -> None:
        """Find out which gradient is measured where.

        What flows along an edge is measured where it is sent. It is all that arrives at an output
        that has but this one edge; where several edges meet, or none, as at a root, what arrives
        is measured there once more.
        """
        graph = self._walked.graph
        edges, outputs = graph.edge_table, graph.output_table
        self._first_edge, self._first_output = edges.start.tolist(), outputs.start.tolist()
        defined = edges.target >= 0
        into = np.where(defined, outputs.start[edges.target] + edges.output, -1)
        # An output that torch does not tell of has no row.
        into[into >= outputs.start[edges.target + 1]] = -1
        meets = np.bincount(into[into >= 0], minlength=len(outputs.spec)) != 1
        roots = outputs.start[graph.root_table.node] + graph.root_table.output
        meets[roots[roots < len(meets)]] = True
        self._into: list[int] = into.tolist()
        self._meets: list[bool] = meets.tolist()
        self._shapes: list[Shape | None] = [
            graph.specs[row].shape if row >= 0 else None for row in outputs.spec.tolist()
        ]
        self._passed = [-1] * len(edges.target)
        self._arrived = [-1] * len(outputs.spec)

    def _begin(self, number: int, _: Gradients) -> None:
        self._began[number] = perf_counter_ns()

    def _timed(self, number: int, _sent: Gradients, _arrived: Gradients) -> None:
        self._spent[number] = perf_counter_ns() - self._began[number]
        self._turns.append(number)

    def _measured(self, number: int, sent: Gradients, arrived: Gradients) -> None:
        self._timed(number, sent, arrived)
        # What a transform works on stands for other tensors, and has no values to look at.
        if self.trouble is not None or in_transform():
            return
        try:
            with without_modes(), _without_graph():
                self._measure(number, sent, arrived)
        except Exception as error:  # noqa: BLE001 - the user's program must not see it
            self.trouble = error

    def _measure(self, number: int, sent: Gradients, arrived: Gradients) -> None:
        """Measure what a node sends on, and what arrived where it is not known yet."""
        # The same tensor may arrive and leave, or leave several times, as at every addition.
        known: dict[int, int] = {}
        first = self._first_output[number]
        for row, gradient in enumerate(arrived[: self._first_output[number + 1] - first], first):
            if gradient is not None:
                if self._meets[row] or self._arrived[row] < 0:
                    self._arrived[row] = self._row_of(gradient)
                known[id(gradient)] = self._arrived[row]
        clean = all(map(self._is_finite, known.values()))
        first = self._first_edge[number]
        for edge, gradient in enumerate(sent[: self._first_edge[number + 1] - first], first):
            if gradient is None or self._into[edge] < 0:
                continue
            row = self._passed[edge] = self._row_sent(edge, gradient, known)
            if clean and not self._is_finite(row):
                clean = False  # one birth a node says enough
                self._remember(number, edge - first, gradient, arrived)

    def _row_sent(self, edge: int, gradient: torch.Tensor, known: dict[int, int]) -> int:
        """Measure what is sent along an edge, unless it is a tensor that was measured already."""
        into = self._into[edge]
        handed_on = _as_it_arrives(gradient, self._shapes[into])
        if handed_on is not gradient:  # gone before the next edge, and its id free for another
            row = self._row_of(handed_on)
        elif (row := known.get(id(gradient), -1)) < 0:
            row = known[id(gradient)] = self._row_of(gradient)
        if not self._meets[into]:
            self._arrived[into] = row
        return row

    def _row_of(self, gradient: torch.Tensor) -> int:
        try:
            self._rows.append(size_up(gradient, only_norm=self.level is Probe.NORMS))
        except (NotImplementedError, RuntimeError, TypeError) as error:
            self.omitted = f"some gradients between nodes ({str(error).partition(chr(10))[0]})"
            return -1
        return len(self._rows) - 1

    def _is_finite(self, row: int) -> bool:
        return row < 0 or self._rows[row].is_finite

    def _remember(self, number: int, slot: int, gradient: torch.Tensor, arrived: Gradients) -> None:
        # A hook of the program's may have changed what arrived since it was sent.
        if len(self._births) < _MOST_BIRTHS and all_finite(*arrived):
            node, index = self._walked.nodes[number], self._walked.structure.index
            culprit = suspect(node)
            if culprit is not None:
                addresses = [address for address, _ in storages_of(culprit)]
                self.suspects[len(self._births)] = addresses[0]
            self._births.append(birth_at((number, slot), node, gradient, arrived, index))


def _without_graph() -> AbstractContextManager[Any]:
    """Keep our own reading out of the graph that backward makes with create_graph."""
    return torch.no_grad() if torch.is_grad_enabled() else nullcontext()


def _as_it_arrives(gradient: torch.Tensor, shape: Shape | None) -> torch.Tensor:
    """Give a gradient as the engine hands it on: summed over what was broadcast."""
    if shape is None or tuple(gradient.shape) == shape or gradient.layout is not torch.strided:
        return gradient
    sizes = [size for size in shape if isinstance(size, int)]
    return gradient.sum_to_size(*sizes) if len(sizes) == len(shape) else gradient
