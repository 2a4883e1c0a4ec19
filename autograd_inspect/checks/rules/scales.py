"""Gradients that shrink or grow from step to step of a chain."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograd_inspect.checks.dying import Flow
from autograd_inspect.checks.reading import related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Node

_SQUASHING = frozenset(["sigmoid", "tanh", "softmax", "hardsigmoid", "hardtanh", "softsign"])
#: Activations in a chain, and the share of the gradient that gets through it.
_CHAIN, _FAINT = 5, 1e-4
#: What makes a gradient grow, of all that runs at every turn.
_PRODUCTS = frozenset(["addmm", "mm", "bmm", "baddbmm", "mv", "mul", "matmul", "dot"])
#: Nodes between an activation and the weight before it.
_NEAR = 30
#: Repetitions of one line, the growth over all of them and from each to the next, and the share
#: of turns that grow.
_TURNS, _GROWTH, _RATE, _STEADY = 8, 1e3, 1.05, 0.7


@dataclass(frozen=True, slots=True)
class _Run:
    """The nodes of one line and operation in the order that backward ran them, with their norms."""

    capture: Capture
    nodes: tuple[Node, ...]
    norms: tuple[float, ...]


def vanishing_sigmoid_chain(facts: Facts) -> Iterator[Finding]:
    """Find a chain of squashing activations after which next to nothing is left."""
    for capture in facts.captures[:1]:
        flow = Flow(capture.graph)
        chain = [
            node
            for node in _in_turn(capture)
            if node.title in _SQUASHING and node.index in flow.arrived
        ]
        if len(chain) < _CHAIN or capture.about.backward is not Backward.SCRIPT:
            continue
        first, last = flow.arrived[chain[0].index], flow.arrived[chain[-1].index]
        sizes = [_size(flow.arrived[node.index]) for node in chain]
        falls = sum(one > other for one, other in itertools.pairwise(sizes))
        steady = falls >= _STEADY * (len(chain) - 1)
        if not first.norm or not _follows(chain) or not steady:
            continue
        weights = [_leaf_below(chain[0]), _leaf_below(chain[-1])]
        if None in weights or weights[0] == weights[1]:
            continue  # one weight for all turns learns from the last of them
        if 0 < _size(last) < _FAINT * _size(first):
            yield Finding(
                message=f"{len(chain)} {chain[0].title} in a row shrink the gradient until next to "
                "nothing is left of it",
                evidence=(
                    (
                        f"{_size(first):.3g} an element arrives at the last of them, "
                        f"{_size(last):.3g} "
                        "at the first"
                    ),
                ),
                repair="use ReLU-like activations, residual connections or normalisation between "
                "the layers",
                place=_longest_at(chain),
                related=related((capture.about.place, "backward was called here")),
            )


def _longest_at(chain: Sequence[Node]) -> Place | None:
    """Give the line that most of a chain is of, else where it begins in forward."""
    ((place, times),) = Counter(node.place for node in chain).most_common(1)
    return place if 2 * times > len(chain) else chain[-1].place


def exploding_recurrence(facts: Facts) -> Iterator[Finding]:
    """Find a line that runs again and again, and whose gradient grows with every turn."""
    for capture in facts.captures[:2]:
        growing = [run for run in _repeated(capture) if _grows(run)]
        products = [run for run in growing if run.nodes[0].title in _PRODUCTS]
        best = max(products or growing, key=_growth, default=None)
        if best is not None:
            yield Finding(
                message=f"the gradient grows from turn to turn of this line: by "
                f"{_growth(best):.3g} over {len(best.nodes)} turns",
                evidence=(
                    (
                        f"it is {best.norms[0]:.3g} at the last turn and "
                        f"{best.norms[-1]:.3g} at the "
                        "first"
                    ),
                ),
                repair="bound the state (tanh, a gate, normalisation), start the recurrent weight "
                "orthogonal, clip the gradient norm, or truncate the history",
                place=best.nodes[0].place,
                related=related((capture.about.place, "backward was called here")),
            )
            return


def _in_turn(capture: Capture) -> list[Node]:
    return sorted((n for n in capture.graph.nodes if n.turn >= 0), key=lambda n: n.turn)


def _size(passed: object) -> float:
    norm, count = passed.norm, passed.count  # type: ignore[attr-defined]
    return norm / math.sqrt(count) if count else 0.0


def _follows(chain: list[Node]) -> bool:
    """Tell whether these are one chain: the last can be reached from the first."""
    ahead, seen = [chain[0]], {chain[0].index}
    while ahead:
        one = ahead.pop()
        if one.index == chain[-1].index:
            return True
        for edge in one.edges:
            if edge.target is not None and edge.target.index not in seen:
                seen.add(edge.target.index)
                ahead.append(edge.target)
    return False


def _leaf_below(node: Node) -> int | None:
    """Give the weight that an activation's input was computed with."""
    ahead = [node]
    for one in ahead:
        if one.leaf is not None and one.leaf.spec is not None and len(one.leaf.spec.shape) > 1:
            return one.index
        if len(ahead) < _NEAR:
            ahead += [edge.target for edge in one.edges if edge.target is not None]
    return None


def _repeated(capture: Capture) -> Iterator[_Run]:
    found: dict[object, list[Node]] = {}
    for node in _in_turn(capture):
        if node.leaf is None and node.place is not None:
            found.setdefault((node.place, node.title, node.stack[1:2]), []).append(node)
    for nodes in found.values():
        passed = [(node, node.gradient) for node in nodes]
        known = [(node, one.norm) for node, one in passed if one is not None and one.norm]
        if len(known) >= _TURNS:
            yield _Run(capture, tuple(n for n, _ in known), tuple(norm for _, norm in known))


def _grows(run: _Run) -> bool:
    pairs = list(zip(run.norms, run.norms[1:], strict=False))
    rising = sum(one < other for one, other in pairs)
    grown = _growth(run)
    fast = grown > _GROWTH and grown > _RATE ** len(pairs)
    return rising >= _STEADY * len(pairs) and fast and _joined(run)


def _growth(run: _Run) -> float:
    last = run.norms[-1]
    return last / run.norms[0] if math.isfinite(last) else math.inf


def _joined(run: _Run) -> bool:
    """Tell a recurrence from a line that is called for many independent things."""
    return _follows([run.nodes[0], run.nodes[-1]])


RULES = (
    Rule("vanishing_sigmoid_chain", Severity.WARNING,
         "A deep chain of contractions", vanishing_sigmoid_chain),
    Rule("exploding_recurrence", Severity.WARNING,
         "A recurrence whose gradient grows with its length", exploding_recurrence,
         frozenset(["nonfinite_value", "normalize_at_zero"])),
)  # fmt: skip
