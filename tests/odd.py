"""Captures that no program leaves, for what must not fail whatever a file says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from build import make_capture, make_gradients, make_graph
from hypothesis import strategies as st

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Reason

sizes = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def odd_captures(draw: st.DrawFn) -> Capture:
    """Make captures with any figures, for names and tensors that may not be in the graph."""
    names = draw(st.lists(st.text(max_size=12), min_size=1, max_size=8, unique=True))
    count = len(names)
    gradients = make_gradients(names)

    def column(values: st.SearchStrategy[float], kind: type) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), kind)

    whole = st.integers(0, 50)
    table = replace(
        gradients.table,
        node=column(st.integers(-1, 3), np.int32),
        dtype=column(st.integers(-1, 0), np.int32),
        reason=column(st.sampled_from(Reason), np.uint8),
        norm=column(sizes, np.float64),
        min=column(sizes, np.float64),
        max=column(sizes, np.float64),
        zeros=column(whole, np.int64),
        nan=column(whole, np.int64),
        inf=column(whole, np.int64),
        count=np.full(count, draw(st.integers(0, 1000)), np.int64),
        histogram=np.full((count, 16), draw(st.integers(0, 9)), np.int64),
    )
    graph = make_graph("loss>mul mul>a mul>b")
    return replace(make_capture(graph), gradients=replace(gradients, table=table))
