"""A small net whose nodes have lines, modules and variables, for the tests of pictures."""

from __future__ import annotations

from dataclasses import replace

from build import make_capture, make_graph, with_origins

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.view import Group, View
from autograd_inspect.passes.drawing import draw

_NET = (
    "loss>mul mul>addmm addmm>model.fc2.bias addmm>relu addmm>t t>model.fc2.weight "
    "relu>addmm2 addmm2>model.fc1.bias addmm2>t2 t2>model.fc1.weight"
)
_CALLS = {"mul": "", "addmm": "fc2", "t": "fc2", "relu": "act", "addmm2": "fc1", "t2": "fc1"}
_CLASSES = {"": "MLP", "fc1": "Linear", "fc2": "Linear", "act": "ReLU"}
_LINES = {"": 9, "fc1": 8, "act": 8, "fc2": 9}


def make_mlp() -> Capture:
    """Make a model of two layers: three frames around ten of eleven boxes."""
    graph = make_graph(_NET)
    order = list(dict.fromkeys(name for arrow in _NET.split() for name in arrow.split(">")))
    calls, places = {}, {0: "train.py:20"}
    for name, module in _CALLS.items():
        node = order.index(name)
        calls[node] = f"{module}:{_CLASSES[module]}"
        places[node] = f"model.py:{_LINES[module]} forward < train.py:19"
    graph = with_origins(
        graph, places=places, calls=calls, variables={order.index("relu"): "hidden"}
    )
    return make_capture(graph)


def hostile(text: str) -> View:
    """Give a view of a framed graph in which everything is called by this text."""
    view = draw(make_mlp())
    return replace(
        view,
        groups=tuple(Group(text, group.parent, (text,)) for group in view.groups),
        origins=tuple(replace(one, lines=(text,), tip=(text,)) for one in view.origins),
        variable=[text] * len(view),
    )


def make_loop() -> View:
    """Make one turn of a folded loop: tanh gives its state to the add of the next turn."""
    view = draw(make_graph("loss>tanh tanh>add add>mul mul>w"), limit=None)
    return replace(
        view,
        groups=(Group("cell x64"),),
        group=[-1, 0, 0, 0, -1],
        source=[*view.source, 2],
        target=[*view.target, 1],
        label=[*view.label, ""],
        carried=(*[False] * len(view.source), True),
    )
