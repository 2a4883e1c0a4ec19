"""Every way to lose a graph is on record, with its line, what is behind it and where it went.

A case is a function of two parameters of a model; the line that cuts ends in `# CUT KIND`. What it
returns becomes the loss, together with something that has a graph.
"""

from __future__ import annotations

import copy
import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import autograd_inspect as agi
from autograd_inspect import Capture, CutKind

Case = Callable[[Tensor, Tensor], object]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


@case
def detach(a: Tensor, b: Tensor) -> object:
    cut = (a * 2).detach()  # CUT DETACH
    return cut * b


@case
def detach_in_place(a: Tensor, b: Tensor) -> object:
    y = a * 2
    y.detach_()  # CUT DETACH
    return y * b


@case
def data(a: Tensor, b: Tensor) -> object:
    return (a * 2).data * b  # CUT DATA


@case
def item(a: Tensor, b: Tensor) -> object:
    return a.sum().item() * b  # CUT NUMBER


@case
def tolist(a: Tensor, b: Tensor) -> object:
    return sum(a.tolist()) * b  # CUT NUMBER


@case
def python_float(a: Tensor, b: Tensor) -> object:
    return float(a.sum()) * b  # CUT NUMBER


@case
def python_int(a: Tensor, b: Tensor) -> object:
    return int(a.sum()) * b  # CUT NUMBER


@case
def truth(a: Tensor, b: Tensor) -> object:
    return b * 2 if a.sum() else b  # CUT NUMBER


@case
def numpy(a: Tensor, b: Tensor) -> object:
    return torch.from_numpy((a * 2).detach().numpy()) * b  # CUT DETACH


@case
def tensor_of_tensors(a: Tensor, b: Tensor) -> object:
    return torch.tensor([a[0], a[1], a[2]]) * b  # CUT NEW_TENSOR


@case
def tensor_that_learns(a: Tensor, b: Tensor) -> object:
    return torch.tensor(a * 2, requires_grad=True) * b  # CUT NEW_TENSOR


@case
def as_tensor(a: Tensor, b: Tensor) -> object:
    return torch.as_tensor((a[0], a[1], a[2])) * b  # CUT NEW_TENSOR


@case
def argmax(a: Tensor, b: Tensor) -> object:
    return b[a.argmax()]  # CUT INTEGER


@case
def comparison(a: Tensor, b: Tensor) -> object:
    mask = a > 1  # CUT INTEGER
    return mask.float() * b


@case
def sort_indices(a: Tensor, b: Tensor) -> object:
    _, order = a.sort()  # CUT INTEGER
    return b[order]


@case
def searchsorted(a: Tensor, b: Tensor) -> object:
    place = torch.searchsorted(a, torch.ones(3))  # CUT INTEGER
    return place * b


@case
def bucketize(a: Tensor, b: Tensor) -> object:
    place = torch.bucketize(a, torch.ones(1))  # CUT INTEGER
    return place * b


@case
def to_long(a: Tensor, b: Tensor) -> object:
    return a.long() * b  # CUT INTEGER


@case
def histc(a: Tensor, b: Tensor) -> object:
    return torch.histc(a, bins=3) * b  # CUT NOT_DIFFERENTIABLE


@case
def linspace(a: Tensor, b: Tensor) -> object:
    return torch.linspace(a[0], a[1], 3) * b  # CUT FACTORY


@case
def sample(a: Tensor, b: Tensor) -> object:
    normal = torch.distributions.Normal(a, 1.0)
    return normal.sample() * b  # CUT SAMPLE


@case
def no_grad_block(a: Tensor, b: Tensor) -> object:
    with torch.no_grad():
        y = a.exp()  # CUT NO_GRAD
    return y * b


@case
def left_switched_off(a: Tensor, b: Tensor) -> object:
    torch.set_grad_enabled(False)
    y = a.exp()  # CUT NO_GRAD
    torch.set_grad_enabled(True)
    return y * b


@case
def inference(a: Tensor, b: Tensor) -> object:
    with torch.inference_mode():
        y = a.exp()  # CUT INFERENCE
    return y.clone() * b


@case
def deepcopy(a: Tensor, b: Tensor) -> object:
    return copy.deepcopy(a) * b  # CUT COPY


@case
def copied_in(a: Tensor, b: Tensor) -> object:
    target = torch.zeros(3)
    with torch.no_grad():
        target.copy_(a)  # CUT COPY
    return target * b


@case
def loaded(a: Tensor, b: Tensor) -> object:
    holder = nn.ParameterList([torch.zeros(3)])
    holder.load_state_dict({"0": a * 2})  # CUT COPY
    return holder[0] * b


@case
def parameter(a: Tensor, b: Tensor) -> object:
    return nn.Parameter(a * 2) * b  # CUT PARAMETER


class Unmarked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        y = x * 2
        ctx.mark_non_differentiable(y)
        return y

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient


@case
def marked_non_differentiable(a: Tensor, b: Tensor) -> object:
    return Unmarked.apply(a) * b  # CUT CUSTOM


class Captures(torch.autograd.Function):
    secret: Tensor

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x * Captures.secret

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient


@case
def used_without_being_given(a: Tensor, b: Tensor) -> object:
    Captures.secret = a
    return Captures.apply(b)  # CUT CUSTOM


@case
def reentrant_checkpoint(a: Tensor, b: Tensor) -> object:
    y = checkpoint(lambda x: x * a, torch.ones(3), use_reentrant=True)  # CUT CHECKPOINT
    return y * b


@case
def without_create_graph(a: Tensor, b: Tensor) -> object:
    (gradient,) = torch.autograd.grad((a**3).sum(), a)  # CUT NO_CREATE_GRAPH
    return gradient * b


#: Where a value leaves torch for good, nothing shows that it came back.
WITHOUT_A_WAY_BACK = {"item", "tolist", "python_float", "python_int", "truth", "numpy"}


@contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def traced(function: Case) -> Capture:
    a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    b = torch.tensor([1.0, 1.0, 2.0], requires_grad=True)
    with quiet(), agi.record(watch=True):
        value = function(a, b)
        loss = value.sum() + (b * 0).sum()
    assert a.requires_grad
    return agi.trace(loss)


def marks(function: Case) -> dict[int, str]:
    """Give the kinds by the numbers of the lines that are marked."""
    lines, first = inspect.getsourcelines(function)
    found = ((n, re.search(r"# CUT (\w+)", line)) for n, line in enumerate(lines, first))
    return {number: match[1] for number, match in found if match}


@pytest.mark.parametrize("name", CASES)
def test_the_line_that_cuts_is_on_record(name: str) -> None:
    capture = traced(CASES[name])
    ((line, kind),) = marks(CASES[name]).items()
    here = [c for c in capture.graph.cuts if c.place is not None and c.place.line == line]
    assert here, [(str(cut.place), cut.op) for cut in capture.graph.cuts]
    assert kind in {cut.kind.name for cut in here}
    cut = next(cut for cut in here if cut.kind.name == kind)
    assert cut.place is not None
    assert cut.place.function == name
    assert "a" in cut.leaves
    assert not cut.raised
    reached = any(cut.reaches for cut in here)
    assert reached is (name not in WITHOUT_A_WAY_BACK)


@pytest.mark.parametrize("name", CASES)
def test_nothing_else_is(name: str) -> None:
    capture = traced(CASES[name])
    lines = {cut.place.line for cut in capture.graph.cuts if cut.place is not None}
    assert lines == set(marks(CASES[name]))


def test_a_region_is_named_by_the_line_that_opened_it() -> None:
    def outer(a: Tensor) -> Tensor:
        with torch.no_grad():  # REGION
            before = a.exp()
            with torch.enable_grad():
                inner = a.exp()
            after = a.sin()
        return before * inner * after

    a = torch.ones(3, requires_grad=True)
    with agi.record(watch=True):
        loss = outer(a).sum()
    lines, first = inspect.getsourcelines(outer)
    opened = next(n for n, line in enumerate(lines, first) if "# REGION" in line)
    cuts = agi.trace(loss).graph.cuts
    assert [cut.op for cut in cuts] == ["Tensor.exp", "Tensor.sin"]
    assert [cut.region.line for cut in cuts if cut.region] == [opened, opened]


def test_a_decorated_function_is_its_own_region() -> None:
    @torch.no_grad()
    def teacher(a: Tensor) -> Tensor:
        return a.exp()

    @torch.inference_mode()
    def judge(a: Tensor) -> Tensor:
        return a.sin()

    a = torch.ones(3, requires_grad=True)
    with agi.record(watch=True):
        loss = (teacher(a) * a).sum() + (judge(a).clone() * a).sum()
    cuts = agi.trace(loss).graph.cuts
    assert {cut.kind for cut in cuts} == {CutKind.NO_GRAD, CutKind.INFERENCE}
    starts = {
        function.__wrapped__.__code__.co_firstlineno
        for function in (teacher, judge)  # a decorator's line is where its function begins
    }
    assert {cut.region.line for cut in cuts if cut.region} == starts


def test_the_module_and_the_way_on_are_told() -> None:
    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            y = self.linear(x)
            hard = y.detach().sign()
            return y * hard

    net = nn.Sequential(Gate(), nn.Linear(3, 1))
    with agi.record(watch=True):
        loss = net(torch.ones(2, 3)).sum()
    graph = agi.trace(loss).graph
    (cut,) = graph.cuts
    assert (cut.op, cut.kind, cut.times) == ("Tensor.detach", CutKind.DETACH, 1)
    assert cut.module is not None
    assert (cut.module.owner, cut.module.path, cut.module.cls) == ("net", "0", "Gate")
    assert set(cut.leaves) == {"net.0.linear.weight", "net.0.linear.bias"}
    into = [use for use in cut.uses if use.node is not None]
    assert [use.node.title for use in into if use.node] == ["mul"]
    assert "Tensor.sign" in {use.op for use in cut.uses}


def test_a_cut_behind_a_cut_reaches_the_root_too() -> None:
    a, b, c = (torch.ones(3, requires_grad=True) for _ in range(3))
    with agi.record(watch=True):
        first = (a * 2).detach()
        second = (first * b).detach()
        aside = (b * 3).detach()
        loss = (second * c).sum()
    cuts = agi.trace(loss).graph.cuts
    assert [(cut.leaves, cut.reaches) for cut in cuts] == [
        (("a",), True),
        (("b",), True),
        (("b",), False),
    ]
    assert aside.sum() == 9


def test_an_operation_that_autograd_refuses_is_a_cut_that_raised() -> None:
    a = torch.ones(3, requires_grad=True)
    with agi.record(watch=True):
        loss = (a * 2).sum()
        with pytest.raises(RuntimeError, match="out="):
            torch.add(a, a, out=torch.zeros(3))
        with pytest.raises(RuntimeError, match="numpy"):
            (a * 2).numpy()
        with pytest.raises(RuntimeError, match="deepcopy"):
            copy.deepcopy(a * 2)
    cuts = agi.trace(loss).graph.cuts
    assert {cut.kind for cut in cuts if cut.raised} == {
        CutKind.OUT,
        CutKind.NUMPY,
        CutKind.COPY,
    }


def test_a_place_counts_how_often_and_keeps_no_step_alive() -> None:
    a = torch.ones(3, requires_grad=True)
    state = torch.ones(3)
    with agi.record(watch=True):
        for _ in range(50):
            state = (state * a).detach()
        loss = (state * a).sum()
    (cut,) = agi.trace(loss).graph.cuts
    assert cut.times == 50
    assert cut.leaves == ("a",)
    assert cut.reaches


def test_healthy_work_is_no_cut() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 1))
    optimizer = torch.optim.Adam(net.parameters(), weight_decay=0.1)
    with agi.record(watch=True):
        for _ in range(3):
            loss = net(torch.randn(4, 3)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
        loss = net(torch.randn(4, 3)).square().mean()
    assert [(cut.op, str(cut.place)) for cut in agi.trace(loss).graph.cuts] == []
