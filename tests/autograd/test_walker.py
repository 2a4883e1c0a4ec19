"""The walked graph against torch's own: counts, shapes and order by independent means."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint

from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS
from autograd_inspect.autograd.walker import walk, with_names
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind, SavedState

needs_saved_tensors = pytest.mark.skipif(
    not SHOWS_SAVED_TENSORS, reason="this torch does not show saved tensors"
)


def graph_of(*roots: torch.Tensor) -> Graph:
    return walk(roots).graph


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def count_by_hand(root: torch.Tensor) -> tuple[int, int, int]:
    """Nodes, edges and undefined edges by the plainest traversal there is."""
    seen, stack, edges, undefined = set(), [root.grad_fn], 0, 0
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for following, _ in node.next_functions:
            if following is None:
                undefined += 1
            else:
                edges += 1
                stack.append(following)
    return len(seen), edges, undefined


def leaf(*shape: int, **options: object) -> torch.Tensor:
    return torch.ones(*shape, requires_grad=True, **options)  # type: ignore[call-overload]


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor, label):
        ctx.factor = factor
        ctx.label = label
        ctx.save_for_backward(x)
        return x * factor

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None, None


def small_model() -> torch.Tensor:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
    return nn.functional.cross_entropy(model(torch.randn(5, 10)), torch.tensor([0, 1, 2, 0, 1]))


def unrolled_cell() -> torch.Tensor:
    cell = nn.LSTMCell(4, 4)
    state = (torch.zeros(2, 4), torch.zeros(2, 4))
    for _ in range(5):
        state = cell(torch.ones(2, 4), state)
    return state[0].sum() + state[1].mean()


def split_parts() -> torch.Tensor:
    first, second, third = leaf(6).split(2)
    return (first * third).sum() + second.sum()


def attention() -> torch.Tensor:
    q = leaf(1, 2, 4, 8)
    return nn.functional.scaled_dot_product_attention(q, q.clone(), q * 2, is_causal=True).sum()


PROGRAMS: list[Callable[[], torch.Tensor]] = [small_model, unrolled_cell, split_parts, attention]


@pytest.mark.parametrize("program", PROGRAMS)
def test_counts_are_those_of_a_plain_traversal(program: Callable[[], torch.Tensor]) -> None:
    root = program()
    graph = graph_of(root)
    assert (len(graph), graph.edge_count, graph.undefined_edge_count) == count_by_hand(root)


@pytest.mark.parametrize("program", PROGRAMS)
def test_edges_say_what_next_functions_say(program: Callable[[], torch.Tensor]) -> None:
    walked = walk([program()])
    for node, own in zip(walked.graph.nodes, walked.nodes, strict=True):
        expected = [
            (walked.structure.index[n] if n is not None else None, k) for n, k in own.next_functions
        ]
        found = [(e.target.index if e.target else None, e.output) for e in node.edges]
        assert found == expected
        assert [e.slot for e in node.edges] == list(range(len(expected)))


@pytest.mark.parametrize("program", PROGRAMS)
def test_depth_is_one_more_than_that_of_the_deepest_user(
    program: Callable[[], torch.Tensor],
) -> None:
    graph = graph_of(program())
    users: dict[int, list[int]] = {}
    for node in graph.nodes:
        for edge in node.edges:
            if edge.target:
                users.setdefault(edge.target.index, []).append(node.depth)
    assert graph.node(0).depth == 0
    for index, depths in users.items():
        assert graph.node(index).depth == max(depths) + 1


def test_the_sine_chain_reads_as_in_the_tutorial() -> None:
    a = torch.linspace(0.0, 6.0, steps=25, requires_grad=True)
    graph = graph_of((2 * torch.sin(a) + 1).sum())
    assert ops(graph) == [
        "SumBackward0",
        "AddBackward0",
        "MulBackward0",
        "SinBackward0",
        "AccumulateGrad",
    ]
    assert [str(node.outputs[0]) for node in graph.nodes] == ["[]", "[25]", "[25]", "[25]", "[25]"]


def test_outputs_tell_shape_dtype_and_device() -> None:
    u, s, v = torch.linalg.svd(leaf(4, 3, dtype=torch.float64), full_matrices=False)
    graph = graph_of(u.sum() + s.sum() + v.sum())
    svd = next(node for node in graph.nodes if node.op.startswith("LinalgSvd"))
    assert [(o.shape, o.dtype, o.device) for o in svd.outputs if o] == [
        ((4, 3), "float64", "cpu"),
        ((3,), "float64", "cpu"),
        ((3, 3), "float64", "cpu"),
    ]
    assert sorted(e.output for n in graph.nodes for e in n.edges if e.target == svd) == [0, 1, 2]


def test_scalars_that_a_node_saved() -> None:
    x = leaf(3)
    graph = graph_of(torch.add(x, x, alpha=2.5).pow(3).sum(dim=-1, keepdim=True).sum())
    found = {node.op: node.attributes for node in graph.nodes}
    assert found["PowBackward0"] == {"exponent": 3}
    assert found["SumBackward1"] == {"dim": [-1], "keepdim": True}
    assert found["AddBackward0"] == {"alpha": 2.5}


def test_scalars_keep_their_type() -> None:
    x = leaf(2)
    alphas = [1, 1.0, 2**0.5, float("inf")]
    roots = [torch.add(x, x, alpha=alpha) for alpha in alphas]
    graph = graph_of(*roots)
    found = [graph.node(i).attributes["alpha"] for i in range(4)]
    assert list(map(repr, found)) == ["1", "1.0", repr(2**0.5), "'inf'"]


@needs_saved_tensors
def test_saved_tensors_are_read_without_a_copy_and_count_shared_storage_once() -> None:
    x, w = leaf(4, 4), leaf(4, 4)
    y = x.sin()
    graph = graph_of((y * w).sum() + (y * y).sum())
    rows = [saved for node in graph.nodes for saved in node.saved]
    assert {saved.bytes for saved in rows} == {64}
    table = graph.saved_table
    held = {int(s) for s in table.storage}
    assert len(rows) == 5
    assert len(held) == 3  # x, w and y
    leaves = {graph.leaves[i].node.index for i in table.leaf if i >= 0}
    assert len(leaves) == 2


@needs_saved_tensors
def test_what_hooks_packed_is_said_and_never_unpacked() -> None:
    unpacked = []

    def unpack(packed: torch.Tensor) -> torch.Tensor:
        unpacked.append(packed)
        return packed

    x = leaf(3)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, unpack):
        root = x.exp().sum()
    graph = graph_of(root)
    assert [s.state for n in graph.nodes for s in n.saved] == [SavedState.PACKED]
    assert unpacked == []


@needs_saved_tensors
def test_looking_at_a_checkpoint_recomputes_nothing() -> None:
    runs = []

    def block(x: torch.Tensor) -> torch.Tensor:
        runs.append(1)
        return x.sin().exp()

    root = checkpoint(block, leaf(3), use_reentrant=False).sum()
    graph = graph_of(root)
    assert len(runs) == 1
    assert {s.state for n in graph.nodes for s in n.saved} == {SavedState.PACKED}


def test_a_reentrant_checkpoint_is_a_node_of_its_own_kind() -> None:
    root = checkpoint(torch.sin, leaf(3), use_reentrant=True).sum()
    kinds = {node.op: node.kind for node in graph_of(root).nodes}
    assert kinds["CheckpointFunctionBackward"] is Kind.CHECKPOINT


@needs_saved_tensors
def test_a_freed_graph_still_tells_its_structure() -> None:
    root = small_model()
    before = graph_of(root)
    root.backward()
    after = graph_of(root)
    assert ops(after) == ops(before)
    assert {s.state for n in after.nodes for s in n.saved} == {SavedState.FREED}


@needs_saved_tensors
def test_what_was_not_worth_saving_is_no_saved_tensor() -> None:
    # The input of the first layer needs no gradient, so the weight need not be kept for it.
    root = nn.Linear(3, 2)(torch.ones(4, 3)).sum()
    node = next(n for n in graph_of(root).nodes if n.op == "AddmmBackward0")
    assert [s.name for s in node.saved] == ["mat1"]


@needs_saved_tensors
def test_a_custom_function_shows_its_name_and_scalars() -> None:
    root = Scale.apply(leaf(3), 1.5, "twice").sum()
    node = next(n for n in graph_of(root).nodes if n.kind is Kind.CUSTOM)
    assert node.op == "ScaleBackward"
    assert node.attributes == {"factor": 1.5, "label": "twice"}
    assert [s.name for s in node.saved] == ["saved_tensors[0]"]
    root.backward()
    assert "ScaleBackward" in ops(graph_of(root))


def test_views_in_place_writes_and_complex_numbers() -> None:
    x = leaf(4)
    y = x * 1
    y[1:3].mul_(2)
    kinds = {node.op: node.kind for node in graph_of(y.sum()).nodes}
    assert kinds["CopySlices"] is Kind.INPLACE
    z = torch.view_as_complex(leaf(3, 2) * 2)
    graph = graph_of((z * z.conj()).real.sum())
    specs = {node.op: node.outputs[0] for node in graph.nodes}
    assert specs["MulBackward0"] and specs["MulBackward0"].dtype in {"complex64", "float32"}
    assert next(n for n in graph.nodes if n.op == "ViewAsComplexBackward0").kind is Kind.VIEW


@pytest.mark.filterwarnings("ignore:Sparse invariant", "ignore:The PyTorch API of nested")
def test_sparse_tensors_and_nested_ones_do_not_stop_the_walk() -> None:
    sparse = torch.eye(3).to_sparse().requires_grad_()
    graph = graph_of(torch.sparse.mm(sparse, leaf(3, 2)).sum())
    assert sum(node.kind is Kind.LEAF for node in graph.nodes) == 2
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], requires_grad=True)
    graph = graph_of(torch.nested.to_padded_tensor(nested * 2, 0.0).sum())
    assert len(graph) >= 3


def test_double_backward_is_part_of_the_graph() -> None:
    x = leaf(3)
    (slope,) = torch.autograd.grad(x.pow(3).sum(), x, create_graph=True)
    root = slope.pow(2).sum()
    graph = graph_of(root)
    assert (len(graph), graph.edge_count, graph.undefined_edge_count) == count_by_hand(root)
    assert len(graph.leaves) == 1


def test_hooks_are_counted_on_leaves() -> None:
    x = leaf(2)
    x.register_hook(lambda g: g)
    x.register_post_accumulate_grad_hook(lambda t: None)
    graph = graph_of(x.sin().sum())
    assert [node.hooks for node in graph.nodes] == [-1, -1, 2]


def test_several_roots_share_one_graph() -> None:
    x = leaf(2)
    y = x.sin()
    graph = graph_of(y.sum(), y.prod(), x)
    assert len(graph) == 4
    assert [root.node.op for root in graph.roots] == [
        "SumBackward0",
        "ProdBackward0",
        "AccumulateGrad",
    ]


def test_leaves_are_named_and_an_unnamed_one_stays_so() -> None:
    a, b = leaf(2), leaf(2)
    graph = with_names(walk([(a * b).sum()]), {id(a): "a"}, ["loss"])
    assert sorted(one.name for one in graph.leaves) == ["", "a"]
    assert graph.roots[0].name == "loss"


def test_the_order_is_the_same_every_time() -> None:
    first, second = graph_of(small_model()), graph_of(small_model())
    assert ops(first) == ops(second)
    assert np.array_equal(first.edge_table.target, second.edge_table.target)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_random_programs(pairs: list[tuple[int, int]]) -> None:
    values = [leaf(2), leaf(2), torch.ones(2)]
    for one, other in pairs:
        values.append(values[one % len(values)] * values[other % len(values)])
    root = values[-1] * values[0]
    graph = graph_of(root)
    assert (len(graph), graph.edge_count, graph.undefined_edge_count) == count_by_hand(root)
    assert sum(graph.node_table.kind == Kind.LEAF) == len(graph.leaves)
    # Each edge leads deeper, so the graph has no way back.
    for node in graph.nodes:
        assert all(edge.target.depth > node.depth for edge in node.edges if edge.target)


def test_sixty_fold_sharing_is_sixty_nodes_not_two_to_the_sixtieth_paths() -> None:
    x = leaf(1)
    for _ in range(60):
        x = x + x
    graph = graph_of(x)
    assert (len(graph), graph.edge_count, graph.depth) == (61, 120, 61)


DEEP = """
import sys, torch
from autograd_inspect.autograd.structure import release_safely
from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS
from autograd_inspect.autograd.walker import walk
sys.setrecursionlimit(120)
x = torch.ones(1, requires_grad=True)
y = x
for _ in range({count}):
    y = y + 1
walked = walk([y])
assert (len(walked.graph), walked.graph.depth) == ({count} + 1,) * 2
release_safely(walked.structure)
del walked, y
print("freed")
"""


@pytest.mark.parametrize("count", [100_000, 400_000])
def test_a_deep_chain_is_walked_and_freed_without_a_crash(count: int) -> None:
    # In a process of its own: what is tested for is that it does not die.
    program = DEEP.format(count=count)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "freed\n", "")


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_function_is_one_node_of_its_own_kind() -> None:
    compiled = torch.compile(lambda x: (x.sin() * 2).exp(), backend="aot_eager")
    graph = graph_of(compiled(leaf(3)).sum())
    assert [node.kind for node in graph.nodes] == [Kind.OPERATION, Kind.COMPILED, Kind.LEAF]
