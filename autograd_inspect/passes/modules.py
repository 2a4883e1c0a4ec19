"""How module calls are called: `h.0.attn (Attention), call 2 of 3`."""

from __future__ import annotations

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module


class Modules:
    """Names of the module calls of a graph, by their rows in `CallTable`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def label(self, row: int) -> str:
        """Write path and class, and which call it was where there are several."""
        module = self._module(row)
        name = self._graph.module_name(module)
        return ", ".join([_with_class(name, module), *self._number(row)])

    def tip(self, row: int) -> tuple[str, ...]:
        """Write the whole path and class, and which call it was."""
        module = self._module(row)
        return (_with_class(module.full_name or module.name, module), *self._number(row))

    def _module(self, row: int) -> Module:
        return self._graph.modules[int(self._graph.call_table.module[row])]

    def _number(self, row: int) -> list[str]:
        table = self._graph.call_table
        times = self._graph.calls_of[int(table.module[row])]
        return [f"call {table.number[row]} of {times}"] if times > 1 else []


def _with_class(name: str, module: Module) -> str:
    return name if name == module.cls else f"{name} ({module.cls})"
