"""Which node first made a gradient NaN or infinite, of those whose gradient went on to a leaf."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.probes import Birth, Operand
from autograd_inspect.model.tables import Bools, Kind

#: What a backward computes, of its saved tensors, where that can be infinite for finite values.
#: From the formulas of PyTorch's `tools/autograd/derivatives.yaml`; ^ is a power.
FORMULAS = {
    "Acos": "-grad / sqrt(1 - self^2)",
    "Acosh": "grad / sqrt(self^2 - 1)",
    "Asin": "grad / sqrt(1 - self^2)",
    "Atan2": "grad / (self^2 + other^2)",
    "Atanh": "grad / (1 - self^2)",
    "Div": "grad / other, and -grad * self / other^2",
    "Exp": "grad * result",
    "LinalgEigh": "1 / (eigenvalues[i] - eigenvalues[j])",
    "LinalgSvd": "1 / (S[i]^2 - S[j]^2)",
    "LinalgVectorNorm": "grad * self / result",
    "Log": "grad / self",
    "Log10": "grad / (self * log(10))",
    "Log1P": "grad / (self + 1)",
    "Log2": "grad / (self * log(2))",
    "LogSoftmax": "grad - exp(result) * sum(grad)",
    "Logit": "grad / (self * (1 - self))",
    "Mul": "grad * other, and grad * self",
    "NllLoss": "-grad / total_weight",
    "Norm": "grad * self / result",
    "Pow": "grad * exponent * self^(exponent - 1)",
    "Reciprocal": "-grad * result^2",
    "Rsqrt": "-grad * result^3 / 2",
    "Softmax": "(grad - sum(grad * result)) * result",
    "Sqrt": "grad / (2 * result)",
    "Std": "grad * (self - mean) / ((n - 1) * result)",
    "Xlogy": "grad * log(other), and grad * self / other",
}


def first_nonfinite(graph: Graph) -> NonFinite | None:
    """Find the first node in the order of backward whose NaN or infinity arrived at a leaf.

    Gives None where every leaf's gradient is finite: what a mask caught on the way does no harm.
    """
    for birth in sorted(graph.births, key=lambda one: graph.node_table.turn[one.node]):
        if _reaches_a_leaf(graph, birth):
            node = graph.node(birth.node)
            odd = tuple(one for one in birth.operands if _stands_out(one))
            return NonFinite(
                node=node,
                birth=birth,
                operands=odd or birth.operands,
                formula=FORMULAS.get(node.op.partition("Backward")[0], ""),
                source=graph.node(birth.source) if birth.source >= 0 else None,
            )
    return None


def _stands_out(operand: Operand) -> bool:
    return operand.value in {"0", "-0", "nan", "inf", "-inf"} or "equal" in operand.remark


def _reaches_a_leaf(graph: Graph, birth: Birth) -> bool:
    """Follow the edges whose gradient is not finite from a birth on."""
    bad, edges = _nonfinite_edges(graph), graph.edge_table
    ahead, seen = [birth.node], {birth.node}
    while ahead:
        node = ahead.pop()
        if graph.node_table.kind[node] == Kind.LEAF:
            return True
        for edge in range(int(edges.start[node]), int(edges.start[node + 1])):
            target = int(edges.target[edge])
            if bad[edge] and target not in seen:
                seen.add(target)
                ahead.append(target)
    return False


def _nonfinite_edges(graph: Graph) -> Bools:
    table, passed = graph.passed_table, graph.edge_table.passed
    bad = np.append((table.nan > 0) | (table.inf > 0), np.False_)  # -1 finds the last
    found: Bools = bad[passed]
    return found
