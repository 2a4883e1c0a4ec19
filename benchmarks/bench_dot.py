"""From a graph to DOT text, beside the peers; and a million nodes, alive to the end."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial

import torch
from gpt import GPT
from graphs import SHAPES
from measure import Ended, Row, clock, installed, middle, own_part, ratio, report, take_turns
from torch.nn import functional

import autograd_inspect
from autograd_inspect.autograd.walker import walk
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import dot

FASTER_BAR = 5.0
MILLION = 1_000_000


def with_agi(root: torch.Tensor) -> str:
    return dot.render(draw(walk([root], saved=False).graph))


def with_agi_in_full(root: torch.Tensor) -> str:
    return dot.render(draw(walk([root]).graph))


def with_torchviz(root: torch.Tensor) -> str:
    from torchviz import make_dot

    return make_dot(root).source


def with_torchviz_in_full(root: torch.Tensor) -> str:
    from torchviz import make_dot

    return make_dot(root, show_attrs=True, show_saved=True).source


def with_torchlens(root: torch.Tensor) -> str:
    from torchlens.debug import sketch_grad_fn

    return sketch_grad_fn(root)


PEERS = {"torchviz": with_torchviz, "torchlens": with_torchlens}
#: What each way of a peer is compared with: the walk that finds out the most alike.
PAIRS = {
    "torchviz": (with_torchviz, "agi"),
    "torchviz with attributes and saved tensors": (with_torchviz_in_full, "full"),
    "torchlens": (with_torchlens, "agi"),
}


def peer_rows() -> Iterator[Row]:
    """Compare on shapes that are not too deep for torchviz, which recurses."""
    for peer in PEERS:
        if not installed(peer):
            yield Row(f"graph to DOT against {peer}", "", "not installed")
    pairs = {way: pair for way, pair in PAIRS.items() if installed(way.split()[0])}
    ways = {"agi": with_agi, "full": with_agi_in_full} | {way: pairs[way][0] for way in pairs}
    for shape in ("gpt", "lstm", "wide"):
        root = SHAPES[shape](10_000)
        nodes = len(walk([root], saved=False).graph)
        for work in ways.values():  # the first call imports, and all find the wrappers made
            work(root)
        sides = {way: partial(clock, partial(work, root)) for way, work in ways.items()}
        turns = take_turns(sides, rounds=7)
        for way, (_, ours) in pairs.items():
            faster = ratio(turns, way, ours)
            yield Row(
                f"graph to DOT, {shape}, {nodes:,} nodes, against {way}",
                f">= {FASTER_BAR:.0f}x faster" if way == "torchviz" else "stated",
                f"{faster:.1f}x faster ({middle(turns, ours) / nodes * 1e6:.1f} to "
                f"{middle(turns, way) / nodes * 1e6:.1f} us per node)",
                faster >= FASTER_BAR if way == "torchviz" else None,
            )


def trace_rows() -> Iterator[Row]:
    """Compare with TorchLens's own trace, which runs the model itself."""
    if not installed("torchlens"):
        return
    facts = own_part("bench_dot.py", "--trace").facts
    yield Row(
        f"GPT of 12 layers, {facts['nodes']} nodes: forward and trace, against TorchLens's trace",
        "stated",
        f"{facts['ratio']:.0f}x faster ({facts['agi'] * 1e3:.1f} and {facts['peer'] * 1e3:.0f} ms; "
        "TorchLens records forward operations, agi the autograd graph)",
    )


def compare_traces() -> None:
    """Time both on one model, in a process of its own: TorchLens wraps torch's functions."""
    import torchlens
    from torchlens.options import CaptureOptions

    torch.manual_seed(0)
    model, tokens = GPT(width=8, words=16, length=4), torch.arange(4).view(1, 4)
    options = CaptureOptions(unwrap_when_done=True)

    def agi() -> object:
        loss = functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())
        return autograd_inspect.trace(loss, model)

    def peer() -> object:
        return torchlens.trace(model, tokens, capture=options)

    peer()
    nodes = len(agi().graph)
    turns = take_turns({"agi": lambda: clock(agi), "peer": lambda: clock(peer)}, rounds=5)
    facts = {side: middle(turns, side) for side in ("agi", "peer")}
    print(json.dumps({**facts, "nodes": nodes, "ratio": ratio(turns, "peer", "agi")}))


def million_rows() -> Iterator[Row]:
    for shape in ("pairs", "chain"):
        for tool in ("agi", *PEERS):
            what = f"{shape}, {MILLION:,} nodes, own process: {tool}"
            bar = "alive to the end" if tool == "agi" else "stated"
            if tool != "agi" and not installed(tool):
                yield Row(what, bar, "not installed")
                continue
            ended = own_part("bench_dot.py", "--million", tool, shape)
            alive = ended.status == 0
            yield Row(what, bar, fate(ended), alive if tool == "agi" else None)


def fate(ended: Ended) -> str:
    facts = ended.facts
    if ended.status < 0:
        at = "after its work, while the graph was freed" if facts else "at work"
        return f"killed by signal {-ended.status} {at}"
    if ended.status:
        return f"status {ended.status}: {ended.errors.strip().splitlines()[-1][:60]}"
    cost = f"{facts['cpu']:.1f} s CPU, peak {ended.peak_mib:,.0f} MiB with torch and the graph"
    return f"status 0; {facts['said']}; {cost}"


def live_through(tool: str, shape: str) -> None:
    """Look at a million nodes and drop them, with the usual 8 MiB of stack."""
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (8 * 2**20, hard))
    root = SHAPES[shape](MILLION)
    start = time.process_time()
    if tool == "agi":
        capture = autograd_inspect.trace(root)
        text = dot.render(draw(capture))
        said = (
            f"{len(capture.graph):,} nodes and {capture.graph.edge_count:,} edges traced and drawn"
        )
        del capture
    else:
        text = PEERS[tool](root)
        said = f"{text.count('label='):,} boxes drawn"
    said += f", {len(text) / 2**20:.0f} MiB of DOT"
    print(json.dumps({"said": said, "cpu": time.process_time() - start}), flush=True)
    del root, text
    gc.collect()


def rows() -> list[Row]:
    torch.set_num_threads(1)
    return [*peer_rows(), *trace_rows(), *million_rows()]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--trace"]:
            torch.set_num_threads(1)
            compare_traces()
        case ["--million", tool, shape]:
            live_through(tool, shape)
        case _:
            report(rows())
