"""Which saved tensors are results of the very operation that saved them.

Torch hands such a tensor out without its `grad_fn`, and an integer result never had one: only the
name tells. The names are those of torch's `derivatives.yaml`, where a formula uses what its
operation returns.
"""

from __future__ import annotations

import re

#: Names that no operation has for an input.
_RESULT = re.compile(
    r"result\d*|[LPQRSU]|Vh|eigenvalues|eigenvectors|inverse|sign|solution|residuals"
    r"|is_target|total_weight|log_?sumexp|softmax_logsumexp"
    r"|philox_(seed|offset)|rng_state|unused|max_seqlen_batch_[qk]"
)
_ATTENTION = r"\w*[Aa]ttention\w*"
#: Names that are inputs elsewhere, with the operations whose results they are.
_RESULT_OF = {
    "LU": r"Linalg(Det|Slogdet|SolveEx|LuFactorEx)",
    "buffer": r"LogSigmoid",
    "cum_seq_q": _ATTENTION,
    "cum_seq_k": _ATTENTION,
    "exponent": r"Frexp",
    "indices": r"Cummax|Cummin|Kthvalue|Max|Median|Min|Mode|Nanmedian|Sort|Topk",
    "mask": r"(FakeQuantize|FusedMovingAvg)\w*",
    "max": r"Aminmax",
    "min": r"Aminmax",
    "max_q": _ATTENTION,
    "max_k": _ATTENTION,
    "output": _ATTENTION,
    "pivots": r"Linalg(Det|Slogdet|SolveEx|LuFactorEx)",
}


def is_result(op: str, name: str) -> bool:
    """Tell whether what a node of that op saved under that name is a result of its forward."""
    if _RESULT.fullmatch(name):
        return True
    operations = _RESULT_OF.get(name)
    return operations is not None and bool(re.fullmatch(rf"({operations})Backward\d*", op))
