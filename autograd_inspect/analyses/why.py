"""Why a tensor has no gradient, a zero one, one that is not finite, or the one it has."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from autograd_inspect.analyses.nonfinite import first_nonfinite
from autograd_inspect.analyses.paths import find_paths
from autograd_inspect.model.capture import Capture, Recording
from autograd_inspect.model.gradients import Gradient, Holding, Reason
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.paths import Paths
from autograd_inspect.model.rows import Node
from autograd_inspect.model.why import Verdict, Why

#: A factor by which an operation makes a gradient smaller that is worth a word.
_SHRINKS = 10.0


def explain(capture: Capture, name: str, *, top: int = 1) -> Why:
    """Say why a tensor has the gradient it has.

    `name` is that of a leaf, root or variable, the end of such a name, or the number of a node.
    Raises UsageError where it is none or several.
    """
    paths = _with_all_norms(find_paths(capture, name, top=top))
    gradient = next((row for row in capture.gradients if row.name == paths.name), None)
    answer = _explain(capture, paths, gradient)
    return replace(answer, why=(*answer.why, *_not_held(gradient)))


def _explain(capture: Capture, paths: Paths, gradient: Gradient | None) -> Why:
    if paths.node is None:
        return _unreached(capture, paths, gradient)
    verdict = _verdict(paths, gradient)
    if verdict is Verdict.ZERO:
        return _zero(paths, gradient)
    if verdict is Verdict.NONFINITE:
        return _nonfinite(capture, paths, gradient)
    if verdict is Verdict.ARRIVED:
        return _arrived(paths, gradient)
    reason = gradient.reason.text if gradient is not None else "no gradient was recorded there"
    return Why(paths, verdict, gradient, why=(reason,))


def _with_all_norms(paths: Paths) -> Paths:
    """Add the gradients that were measured at the nodes on the way."""
    ways = [way for way in (paths.trunk, paths.direct, *paths.every) if way is not None]
    nodes = [paths.capture.graph.node(one) for way in ways for one in way.node.tolist()]
    measured = {node.index: node.gradient.norm for node in nodes if node.gradient is not None}
    return replace(paths, norms={**measured, **paths.norms})


def _verdict(paths: Paths, gradient: Gradient | None) -> Verdict:
    norm = paths.norms.get(paths.index)
    if gradient is not None and gradient.present:
        if gradient.nan or gradient.inf:
            return Verdict.NONFINITE
        return Verdict.ZERO if gradient.zeros == gradient.count else Verdict.ARRIVED
    if norm is not None:
        if not math.isfinite(norm):
            return Verdict.NONFINITE
        return Verdict.ARRIVED if norm else Verdict.ZERO
    return Verdict.UNKNOWN


def _unreached(capture: Capture, paths: Paths, gradient: Gradient | None) -> Why:
    """Say why no path leads from a tensor to the root."""
    reason = gradient.reason if gradient is not None else Reason.NOT_REACHED
    if reason is Reason.REQUIRES_NO_GRAD:
        said = "requires_grad is False: autograd computes no gradient for it"
        return Why(paths, Verdict.NO_GRAD, gradient, why=(said,))
    if reason is Reason.NOT_A_LEAF:
        said = "only leaves keep .grad, and the root was not computed from it"
        return Why(paths, Verdict.NOT_A_LEAF, gradient, why=(said,))
    left = _left_by_earlier(gradient)
    cuts = [cut for cut in paths.cuts if cut.reaches] or list(paths.cuts)
    if cuts:
        went_on = any(cut.reaches for cut in cuts)
        how = "its values reach the root" if went_on else "its values were used"
        return Why(paths, Verdict.CUT, gradient, why=(f"{how}, but their graph was cut", *left))
    if capture.about.recording is Recording.FULL:
        told = "no operation took it on the way to the root, and none was seen to cut it off"
    else:
        told = "no path leads to the root; cuts were not recorded (--watch records them)"
    return Why(paths, Verdict.UNUSED, gradient, why=(told, *left))


def _not_held(gradient: Gradient | None) -> tuple[str, ...]:
    """Say that no step changes a tensor, whatever its gradient is."""
    if gradient is not None and gradient.holding is Holding.NOT_HELD:
        return ("it is in no optimizer of the program, so no step changes it",)
    return ()


def _left_by_earlier(gradient: Gradient | None) -> tuple[str, ...]:
    if gradient is not None and gradient.reason is Reason.LEFT_BY_EARLIER:
        return ("the gradient in .grad was left by an earlier backward",)
    return ()


def _zero(paths: Paths, gradient: Gradient | None) -> Why:
    """Find the operation at which the gradient became zero."""
    for above, below in _steps(paths):
        arrived, sent = paths.norms.get(above.index), paths.norms.get(below.index)
        if arrived and sent == 0:
            told = (
                f"a gradient arrived at {above.title}{_at(above)} and none of it was sent on: "
                "its derivative is zero for these values"
            )
            return Why(paths, Verdict.ZERO, gradient, dies=above, why=(told,))
    started = [root for root in paths.roots if paths.norms.get(root.node.index) == 0]
    told = (
        "backward itself began with zero"
        if started
        else "what arrives over its paths is exactly zero"
    )
    return Why(paths, Verdict.ZERO, gradient, why=(told,))


def _nonfinite(capture: Capture, paths: Paths, gradient: Gradient | None) -> Why:
    birth = first_nonfinite(capture.graph)
    told = () if birth is None else (_told(birth),)
    return Why(paths, Verdict.NONFINITE, gradient, birth=birth, why=told)


def _told(birth: NonFinite) -> str:
    formula = f", which computes {birth.formula}" if birth.formula else ""
    return f"it first was not finite at {birth.node.title}{_at(birth.node)}{formula}"


def _arrived(paths: Paths, gradient: Gradient | None) -> Why:
    """Find the operation that made the gradient smaller than any other on the way."""
    drops = []
    for above, below in _steps(paths):
        arrived, sent = paths.norms.get(above.index), paths.norms.get(below.index)
        if arrived and sent and math.isfinite(arrived / sent):
            drops.append((arrived / sent, above))
    factor, node = max(drops, key=lambda one: one[0], default=(1.0, None))
    started = next(iter(paths.roots), None)
    told = [f"{_counted(paths)} from the root"] if started is not None else []
    if node is None or factor < _SHRINKS:
        return Why(paths, Verdict.ARRIVED, gradient, why=tuple(told))
    told.append(f"{node.title}{_at(node)} made it {factor:.3g} times smaller, more than any other")
    return Why(paths, Verdict.ARRIVED, gradient, shrinks=(node, factor), why=tuple(told))


def _counted(paths: Paths) -> str:
    ways = "one path" if paths.count == 1 else f"{paths.count:,} paths"
    return f"it arrived over {ways}"


def _steps(paths: Paths) -> list[tuple[Node, Node]]:
    """Give the nodes of the shortest path in pairs, from the root to the tensor."""
    if paths.direct is None:
        return []
    graph = paths.capture.graph
    return list(pairwise(graph.node(int(one)) for one in paths.direct.node[::-1]))


def _at(node: Node) -> str:
    return f" at {node.place}" if node.place is not None else ""
