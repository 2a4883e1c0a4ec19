"""Saved tensors: who made them, what they are, who packed them; looking at them touches nothing."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from hookcount import Count, count_alive, count_reached, counting, storages
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import autograd_inspect
from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS
from autograd_inspect.autograd.results import is_result
from autograd_inspect.autograd.walker import Walk, walk, with_owners
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Saved
from autograd_inspect.model.tables import SavedRole, SavedState

pytestmark = pytest.mark.skipif(
    not SHOWS_SAVED_TENSORS, reason="this torch does not show saved tensors"
)

PARAMETER, BUFFER = SavedRole.PARAMETER, SavedRole.BUFFER
INPUT, ACTIVATION, UNKNOWN = SavedRole.INPUT, SavedRole.ACTIVATION, SavedRole.UNKNOWN


def leaf(*shape: int) -> torch.Tensor:
    return torch.ones(shape, requires_grad=True)


def graph_of(*roots: torch.Tensor) -> Graph:
    return walk(roots).graph


def all_saved(graph: Graph) -> list[Saved]:
    return [Saved(graph, row) for row in range(len(graph.saved_table.node))]


def by_place(graph: Graph) -> dict[str, Saved]:
    """Saved tensors by the forward operation and the name: `mul.self`."""
    table = graph.saved_table
    return {
        f"{graph.node(int(node)).title}.{one.name}": one
        for node, one in zip(table.node, all_saved(graph), strict=True)
    }


def roles(graph: Graph) -> dict[str, SavedRole]:
    return {place: one.role for place, one in by_place(graph).items()}


class Square(torch.autograd.Function):
    """Keeps an input, something it computed on its way, its result, and more on its context."""

    @staticmethod
    def forward(ctx, x, mask):
        half = x / 2
        out = x * x * mask
        ctx.save_for_backward(x, mask, half, None, out)
        ctx.factor = half * 3
        ctx.kept = [half * 4, 7, ("no deeper", (half * 5,))]
        ctx.cache = {"a": half * 6, 1: "no tensor"}
        ctx.mask = mask
        return out

    @staticmethod
    def backward(ctx, gradient):
        x, mask, *_ = ctx.saved_tensors
        return 2 * x * mask * gradient, None


class Dirty(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        out = x.exp()
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0]


class Once(Dirty):
    """Its saved tensors are cleared when they are read."""

    clear_saved_tensors_on_access = True


# Who made it.


def test_the_node_that_made_a_saved_tensor_is_named() -> None:
    x = leaf(3)
    hidden = x.sin()
    graph = graph_of((hidden * x.cos()).sum())
    found = by_place(graph)
    titles = {place: one.origin.title if one.origin else None for place, one in found.items()}
    assert titles == {"mul.self": "sin", "mul.other": "cos", "sin.self": None, "cos.self": None}


def test_a_result_was_made_by_the_node_that_keeps_it() -> None:
    graph = graph_of(leaf(3).exp().softmax(0).sum())
    for place in ("exp.result", "softmax.result"):
        one = by_place(graph)[place]
        assert one.origin == graph.node(int(graph.saved_table.node[one.row]))
        assert one.role is ACTIVATION


#: Operations that save results, under every kind of name that torch has for one.
RESULTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "exp": torch.exp,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "qr": lambda x: torch.linalg.qr(x)[1],
    "svd": lambda x: torch.linalg.svd(x)[1],
    "eigh": lambda x: torch.linalg.eigh(x @ x.T)[0],
    "cholesky": lambda x: torch.linalg.cholesky(x @ x.T),
    "inv": torch.linalg.inv,
    "det": torch.linalg.det,
    "slogdet": lambda x: torch.linalg.slogdet(x)[1],
    "lu": lambda x: torch.linalg.lu_factor(x)[0],
    "solve": lambda x: torch.linalg.solve(x, x),
    "aminmax": lambda x: torch.aminmax(x)[0],
    "attention": lambda x: functional.scaled_dot_product_attention(*[x[None, None]] * 3),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_that_can_be_differentiated_are_told_by_name_as_torch_tells_them(name: str) -> None:
    # Torch gives a result out with the node itself as its grad_fn; we do not ask it.
    root = RESULTS[name](torch.eye(4) + torch.rand(4, 4, requires_grad=True) / 8)
    walked = walk([root])
    checked = 0
    for node, one in zip(walked.graph.saved_table.node, all_saved(walked.graph), strict=True):
        saver = walked.nodes[node]
        given = getattr(saver, f"_saved_{one.name}")
        if given.grad_fn is saver:
            assert is_result(one.origin.op if one.origin else "", one.name), one.name
            checked += 1
        elif given.grad_fn is not None:
            assert walked.nodes[one.origin.index] is given.grad_fn
        assert (one.role is INPUT) == (given.grad_fn is None and one.origin is None)
    assert checked


@pytest.mark.parametrize("make", [torch.max, torch.min, torch.sort, torch.topk, torch.median])
def test_indices_are_results_where_the_operation_found_them_and_inputs_where_it_got_them(
    make: Callable[..., tuple[torch.Tensor, torch.Tensor]],
) -> None:
    argument = 2 if make is torch.topk else -1
    values, _ = make(leaf(3, 4) * 1, argument)
    found = next(one for one in all_saved(graph_of(values.sum())) if one.name == "indices")
    assert found.role is ACTIVATION and found.origin is not None
    words = nn.Embedding(4, 3)
    taken = by_place(graph_of(words(torch.tensor([1, 2])).sum()))["embedding.indices"]
    assert taken.role is INPUT and taken.origin is None


def test_the_parts_of_a_list_are_numbered() -> None:
    where = torch.tensor([0, 2])
    graph = graph_of((leaf(3, 3) * 1)[where, where].sum())
    assert [one.name for one in all_saved(graph) if one.name.startswith("ind")] == [
        "indices[0]",
        "indices[1]",
    ]


# What it is.


def test_roles_are_those_of_the_storage() -> None:
    frozen = nn.Linear(3, 3).requires_grad_(False)
    learnt = nn.Linear(3, 3)
    x, data, mask = leaf(2, 3), torch.rand(2, 3), torch.rand(2, 3) > 0.5
    hidden = learnt(x * data)
    graph = graph_of(hidden.masked_fill(mask, 0).matmul(frozen.weight.t()).sum())
    assert roles(graph) == {
        "mul.other": INPUT,
        "addmm.mat1": ACTIVATION,
        "addmm.mat2": PARAMETER,
        "masked_fill.mask": INPUT,
        "mm.mat2": PARAMETER,  # a view of a parameter that nothing leads to
    }


def test_a_view_of_an_input_is_input_and_one_of_an_activation_is_activation() -> None:
    x = leaf(4, 4)
    made = x.sin()
    graph = graph_of((x[0].cos() + made[0].sinh() + made.detach()[1] * x[1]).sum())
    assert roles(graph) == {
        "sin.self": INPUT,
        "cos.self": INPUT,
        "sinh.self": ACTIVATION,
        "mul.self": ACTIVATION,  # it has no grad_fn, but lies where `made` does
    }


def test_batch_norm_keeps_buffers() -> None:
    net = nn.BatchNorm1d(3)
    capture = autograd_inspect.trace(net(leaf(4, 3)).sum())
    assert roles(capture.graph) == {
        "native_batch_norm.input": INPUT,
        "native_batch_norm.weight": PARAMETER,
        "native_batch_norm.running_mean": BUFFER,
        "native_batch_norm.running_var": BUFFER,
        "native_batch_norm.result1": ACTIVATION,
        "native_batch_norm.result2": ACTIVATION,
    }


def test_a_frozen_module_that_a_variable_leads_to_is_known() -> None:
    models = {"teacher": nn.Linear(3, 2, bias=False).requires_grad_(False)}
    flat = models["teacher"].weight.detach()  # no view relation that the tensor itself would tell
    root = functional.linear(leaf(4, 3) * 1, flat).sum()
    alone = graph_of(root)
    known = autograd_inspect.trace(root).graph
    assert roles(known)["mm.mat2"] is PARAMETER
    assert roles(alone)["mm.mat2"] in {INPUT, PARAMETER}


def test_a_custom_function_keeps_what_it_was_given_and_what_it_made() -> None:
    mask = torch.ones(3)
    x = leaf(3) * 1
    root = Square.apply(x, mask).sum()
    names = {
        "saved_tensors[0]": ACTIVATION,  # x, made by mul
        "saved_tensors[1]": INPUT,  # a variable of this program holds the mask
        "saved_tensors[2]": ACTIVATION,
        "saved_tensors[4]": ACTIVATION,  # [3] is None
        "ctx.factor": ACTIVATION,
        "ctx.kept[0]": ACTIVATION,
        "ctx.cache['a']": ACTIVATION,
        "ctx.mask": INPUT,
    }
    capture = autograd_inspect.trace(root)
    node = next(n for n in capture.graph.nodes if n.title == "Square")
    assert {one.name: one.role for one in node.saved} == names
    assert {one.name: one.origin for one in node.saved if one.origin} == {
        "saved_tensors[0]": node.edges[0].target,
        "saved_tensors[4]": node,
    }
    unnamed = {f"saved_tensors[{n}]" for n in (1, 2)} | {n for n in names if n[:3] == "ctx"}
    alone = graph_of(root)
    assert {one.name for one in alone.node(node.index).saved if one.role is UNKNOWN} == unnamed


def test_what_lies_on_a_context_is_held_after_backward_too() -> None:
    root = Square.apply(leaf(3), torch.ones(3)).sum()
    root.backward()
    assert {one.name for one in all_saved(graph_of(root)) if one.state is SavedState.HELD} == {
        *("ctx.factor", "ctx.kept[0]", "ctx.cache['a']", "ctx.mask"),
    }


def test_a_freed_list_is_told() -> None:
    root = (leaf(3) * 1)[torch.tensor([0])].sum()
    root.backward()
    assert [(one.name, one.state) for one in all_saved(graph_of(root)) if one.name != "other"] == [
        ("indices", SavedState.FREED)
    ]


# Who packed it.


def pack_to_twice(tensor: torch.Tensor) -> dict[str, object]:
    return {"pair": [tensor.clone(), tensor.clone()], "note": "x"}


def never(_: object) -> torch.Tensor:
    raise AssertionError("nothing is to be unpacked")


class Offloader:
    def unpack(self, _: object) -> torch.Tensor:
        raise AssertionError("nothing is to be unpacked")

    __call__ = unpack


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        (never, f"{__name__}.never"),
        (partial(never), f"{__name__}.never"),
        (Offloader().unpack, f"{__name__}.Offloader.unpack"),
        (Offloader(), f"{__name__}.Offloader"),
    ],
)
def test_a_hook_is_named_and_never_called(hook: Callable[..., torch.Tensor], name: str) -> None:
    x = leaf(3)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: "nothing", hook):
        root = x.exp().sum()
    (one,) = all_saved(graph_of(root))
    assert (one.packer, one.state, one.bytes, one.spec) == (name, SavedState.PACKED, 0, None)
    assert one.role is ACTIVATION  # its name tells
    assert one.origin and one.origin.title == "exp"


def test_tensors_in_what_a_hook_packed_are_held() -> None:
    x = leaf(5)
    with torch.autograd.graph.saved_tensors_hooks(pack_to_twice, never):
        root = x.sin().sum()
    rows = all_saved(graph_of(root))
    assert [(one.bytes, one.state, one.role) for one in rows] == 2 * [
        (20, SavedState.PACKED, UNKNOWN)
    ]
    assert {one.spec.shape_text for one in rows if one.spec} == {"[5]"}


def test_save_on_cpu_and_checkpoint_are_known_by_name() -> None:
    x = leaf(4)
    with torch.autograd.graph.save_on_cpu():
        root = x.sin().sum()
    (one,) = all_saved(graph_of(root))
    assert (one.packer, one.bytes, one.state) == ("save_on_cpu", 16, SavedState.PACKED)
    root = checkpoint(lambda x: x.sin().exp(), x, use_reentrant=False).sum()
    rows = all_saved(graph_of(root))
    assert {(one.packer, one.bytes, one.storage_row) for one in map(with_storage, rows)} == {
        ("checkpoint", 0, -1)
    }


def with_storage(one: Saved) -> object:
    class Row:
        packer, bytes = one.packer, one.bytes
        storage_row = int(one.graph.saved_table.storage[one.row])

    return Row


# Overwritten since.


def stale(root: torch.Tensor) -> list[str]:
    graph = graph_of(root)
    rows = zip(graph.saved_table.node.tolist(), all_saved(graph), strict=True)
    return sorted(f"{graph.node(node).title}.{one.name}" for node, one in rows if one.stale)


def overwritten_input() -> torch.Tensor:
    x = leaf(3) * 1
    root = (x * x).sum()
    x.add_(1)
    return root


def overwritten_result() -> torch.Tensor:
    y = leaf(3).exp()
    root = y.sum()
    y.mul_(2)
    return root


def overwritten_before() -> torch.Tensor:
    x = leaf(3) * 1
    x.add_(1)
    return x.sin().sum()


def overwritten_view() -> torch.Tensor:
    x = leaf(4) * 1
    half = x[:2]
    root = half.sin().sum() + x.sum()
    x.mul_(2)
    return root


def overwritten_base() -> torch.Tensor:
    x = leaf(4) * 1
    root = x.sin().sum()
    x[:2].zero_()
    return root


def stepped_parameter() -> torch.Tensor:
    net = nn.Linear(3, 3, bias=False)
    root = net(leaf(2, 3).sin()).sum()
    with torch.no_grad():
        net.weight.sub_(1)
    return root


def overwritten_index() -> torch.Tensor:
    where = torch.tensor([0, 1])
    root = (leaf(3) * 1)[where].sum()
    where.add_(1)
    return root


def overwritten_result_of_function() -> torch.Tensor:
    y = Dirty.apply(leaf(3))
    root = y.sum()
    y.add_(1)
    return root


def overwritten_input_of_function() -> torch.Tensor:
    x = leaf(3) * 1
    root = Square.apply(x, torch.ones(3)).sum()
    with torch.no_grad():
        x.add_(1)
    return root


def behind_the_back() -> torch.Tensor:
    x = leaf(3) * 1
    root = x.sin().sum()
    x.data.add_(1)  # has a version of its own
    return root


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (overwritten_input, ["mul.other", "mul.self"]),
        (overwritten_result, ["exp.result"]),
        (overwritten_before, []),
        (overwritten_view, ["sin.self"]),
        (overwritten_base, ["sin.self"]),
        (stepped_parameter, ["mm.mat2"]),
        (overwritten_index, ["index.indices[0]"]),
        (overwritten_result_of_function, ["Dirty.saved_tensors[0]"]),
        (overwritten_input_of_function, ["Square.saved_tensors[0]"]),
        (behind_the_back, []),
    ],
)
def test_what_was_overwritten_is_what_backward_refuses(
    make: Callable[[], torch.Tensor], expected: list[str]
) -> None:
    root = make()
    assert stale(root) == expected
    if expected:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            root.backward()
    else:
        root.backward()


def test_one_stale_tensor_among_hundreds_is_found() -> None:
    values = [leaf(2) * 1 for _ in range(300)]
    root = torch.stack([value.sin() for value in values]).sum()
    values[123].add_(1)
    graph = graph_of(root)
    (row,) = np.flatnonzero(graph.saved_table.stale)
    assert Saved(graph, int(row)).name == "self"
    assert len(graph.saved_table.node) == 300 + 300  # and the 1 of each `* 1`


def test_tensors_that_are_cleared_on_access_stay() -> None:
    y = Once.apply(leaf(3))
    root = y.sum()
    graph_of(root)
    root.backward()


# Nothing is touched by looking.


def test_looking_leaves_the_program_alone() -> None:
    packs, unpacks, calls = [], [], []

    class Noticing(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            calls.append(function)
            return super().__torch_function__(function, types, args, kwargs or {})

    def pack(tensor: torch.Tensor) -> tuple[str, torch.Tensor]:
        packs.append(1)
        return "packed", tensor

    def unpack(packed: tuple[str, torch.Tensor]) -> torch.Tensor:
        unpacks.append(1)
        return packed[1]

    runs = []

    def block(x: torch.Tensor) -> torch.Tensor:
        runs.append(1)
        return Square.apply(x.sin(), torch.ones(3)).exp()

    x = leaf(3)
    odd = torch.ones(3).as_subclass(Noticing).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        first = x.exp() * x
    second = checkpoint(block, x, use_reentrant=False)
    root = (first + second + (odd * odd).exp()).sum()
    before = (len(packs), len(runs), len(calls), torch.get_rng_state().tolist(), x._version)
    twin = copy.deepcopy(x.detach())
    capture = autograd_inspect.trace(root)
    for by in ("op", "module", "line", "tensor"):
        assert capture.memory(by=by).tensors
    walk([root])
    assert unpacks == []
    assert (len(packs), len(runs), torch.get_rng_state().tolist(), x._version) == (
        *before[:2],
        *before[3:],
    )
    walk_calls = len(calls)
    walk([root])
    assert len(calls) == walk_calls
    root.backward()
    assert unpacks and len(runs) == 2
    twin.requires_grad_()
    expected = (twin.exp() * twin + block(twin)).sum()
    expected.backward()
    assert torch.equal(x.grad, twin.grad)


def test_nothing_is_kept_alive_by_looking() -> None:
    x = leaf(3)
    hidden = x.sin()
    root = (hidden * hidden).sum()
    gone = weakref.ref(hidden)
    graph = graph_of(root)
    del hidden, root
    assert len(graph) == 4 and gone() is None


# The independent count.


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.feed = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, 8))

    def forward(self, x):
        normed = self.norm(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        return x + self.feed(x)


def _mlp() -> Callable[[], torch.Tensor]:
    net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4), nn.Tanh())
    x = torch.rand(5, 3)
    return lambda: functional.cross_entropy(net(x), torch.tensor([0, 1, 2, 3, 0]))


def _convolutions() -> Callable[[], torch.Tensor]:
    net = nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(4, 4, 3), nn.Flatten(), nn.LazyLinear(2)),
    )
    x = torch.rand(2, 3, 12, 12)
    net(x)
    return lambda: net(x).logsumexp(1).sum()


def _transformer() -> Callable[[], torch.Tensor]:
    net, x = nn.Sequential(Block(), Block()), torch.rand(2, 5, 8)
    return lambda: net(x).square().mean()


def _frozen() -> Callable[[], torch.Tensor]:
    net, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4)), torch.rand(2, 3)
    net[0].requires_grad_(False)
    head = nn.Linear(4, 1)
    return lambda: head(net(x)).sum()


def _lstm() -> Callable[[], torch.Tensor]:
    cell, x = nn.LSTMCell(3, 4), torch.rand(6, 2, 3)
    layers = nn.LSTM(3, 4, num_layers=2, bidirectional=True)

    def make() -> torch.Tensor:
        state = None
        for step in x:
            state = cell(step, state)
        return state[0].sum() + layers(x)[0].sum()

    return make


def _functions() -> Callable[[], torch.Tensor]:
    x, mask = leaf(3), torch.rand(3)
    return lambda: torch.sum(Square.apply(x, mask) + Dirty.apply(x * 2.5))


def _splits() -> Callable[[], torch.Tensor]:
    project, x = nn.Linear(4, 12), torch.rand(5, 4)

    def make() -> torch.Tensor:
        query, key, value = project(x).split(4, dim=-1)
        rows = torch.stack([row.sin() * 0.5 for row in (query @ key.t()).unbind()])
        return (rows.softmax(0) @ value).expand(2, 5, 4).cumprod(0).amax((0, 1)).sum()

    return make


def _checkpoints() -> Callable[[], torch.Tensor]:
    net, x = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3)), leaf(4, 3)

    def make() -> torch.Tensor:
        inner = checkpoint(net, x.sin(), use_reentrant=False)
        return (inner * checkpoint(net, inner, use_reentrant=False)).sum()

    return make


def _slopes() -> Callable[[], torch.Tensor]:
    net, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), leaf(5, 3)

    def make() -> torch.Tensor:
        (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        return slope.norm(dim=1).square().sum()

    return make


def _unused() -> Callable[[], torch.Tensor]:
    x = leaf(50)

    def make() -> torch.Tensor:
        x.exp().sin()  # no part of the graph
        return (x.detach().sin() * x * 3.0).sum()

    return make


def _sparse() -> Callable[[], torch.Tensor]:
    matrix = torch.eye(3).to_sparse().requires_grad_()
    other = leaf(3, 2)
    return lambda: torch.sparse.mm(matrix, other).sum()


PROGRAMS: dict[str, Callable[[], Callable[[], torch.Tensor]]] = {
    "mlp": _mlp,
    "convolutions": _convolutions,
    "transformer": _transformer,
    "frozen": _frozen,
    "lstm": _lstm,
    "functions": _functions,
    "splits": _splits,
    "slopes": _slopes,
    "unused": _unused,
    "sparse": _sparse,
}


def count_from(make: Callable[[], torch.Tensor]) -> Count:
    """Count what the nodes keep that the root leads to."""
    with counting():
        root = make()
    return count_reached([root.grad_fn])


def assert_equal_to_count(
    make: Callable[[], torch.Tensor],
    count: Callable[[Callable[[], torch.Tensor]], Count] = count_alive,
) -> None:
    """Run a program twice, and compare what its graph keeps with what hooks were given."""
    torch.manual_seed(0)
    expected = count(make)
    torch.manual_seed(0)
    root = make()
    walked = walk([root])
    table = walked.graph.saved_table
    own = np.array([not one.name.startswith("ctx.") for one in all_saved(walked.graph)], np.bool_)
    held = own & (table.state == SavedState.HELD)
    _, first = np.unique(table.storage[held], return_index=True)
    assert np.count_nonzero(held) == expected.tensors
    assert len(first) == expected.storages
    assert int(table.bytes[held][first].sum()) == expected.bytes
    assert np.count_nonzero(table.state == SavedState.PACKED) == expected.packed


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_held_is_what_hooks_were_given(program: str) -> None:
    assert_equal_to_count(PROGRAMS[program]())


def test_what_a_checkpoint_runs_again_from_is_with_no_node_of_the_graph() -> None:
    make = _checkpoints()
    assert_equal_to_count(make, count_from)
    alive, reached = count_alive(make), count_from(make)
    assert alive.tensors == reached.tensors + 2  # the inputs of the two checkpoints


def test_what_hooks_see_and_nodes_do_not_is_a_write_to_a_view() -> None:
    x = leaf(4)

    def make() -> torch.Tensor:
        y = x * 1
        y[1:].mul_(x[1:])
        return y.sum()

    hooks = count_alive(make)
    memory = autograd_inspect.trace(make()).memory()
    assert hooks.tensors == memory.tensors + 2  # both factors of `mul_`
    assert memory.unseen == 1


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 99), st.integers(0, 99)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_random_programs_hold_what_hooks_were_given(steps: list[tuple[int, int, int]]) -> None:
    starts = [leaf(3, 3), torch.rand(3, 3), nn.Parameter(torch.rand(3, 3)), torch.ones(3, 3)]
    apply: list[Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = [
        torch.mul,
        torch.matmul,
        lambda a, b: a.exp() + b,
        lambda a, b: a[:2].sum() * b.t(),
        lambda a, b: a * 0.5 - b.detach(),
        lambda a, b: Square.apply(a, b.detach() > 0),
        lambda a, b: torch.where(a > b, a.sigmoid(), b),
    ]

    def make() -> torch.Tensor:
        values = list(starts)
        for kind, one, other in steps:
            left, right = values[one % len(values)], values[other % len(values)]
            values.append(apply[kind](left, right))
        return values[-1].sum() + (starts[0] * starts[2]).sum()

    assert_equal_to_count(make)


# Owners.


def test_owners_are_found_by_storage() -> None:
    weights, running, data = torch.rand(3), torch.rand(3), torch.rand(3)
    x = leaf(3)
    made = x * 2
    shown = made.detach()
    root = (x * weights[:] + x * running + x * data + x * shown).sum()
    walked = walk([root])
    assert {one.role for one in others(walked)} == {INPUT}
    known = with_owners(walked, [weights], [running], [data, made])
    assert [one.role for one in others(known)] == [PARAMETER, BUFFER, INPUT, ACTIVATION]


def others(walked: Walk) -> list[Saved]:
    """The second factors of the products, in the order of the program."""
    graph = walked.graph
    rows = [one for one in all_saved(graph) if one.spec and one.spec.shape == (3,)]
    return sorted(rows, key=lambda one: graph.node_table.sequence[graph.saved_table.node[one.row]])


def test_parameters_and_their_gradients_are_weighed() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(2, 2))
    net[2].weight = net[1].bias  # shared
    net[1].requires_grad_(False)
    spare = nn.Parameter(torch.ones(100))
    x = leaf(5, 3)
    net[0](x).sum().backward()
    capture = autograd_inspect.trace((net[0](x).sum() * spare).sum())
    tensors = [*net.parameters(), spare]
    sizes = {one.untyped_storage()._cdata: one.untyped_storage().nbytes() for one in tensors}
    assert capture.about.parameters == sum(sizes.values())
    assert capture.about.gradients == 4 * (12 + 4)
    assert all(len(storages(one)) == 1 for one in tensors)
