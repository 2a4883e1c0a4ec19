"""The page unfolds as Python does: one Node process unfolds what is compared here."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from build import graph_of, make_capture, make_graph
from viewing import blocks

from autograd_inspect.model.folds import EVERY, FoldKind, Folds, Opening
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.passes.folding.opening import every_instance
from autograd_inspect.passes.folding.unfolding import unfold
from autograd_inspect.renderers.html import Page
from autograd_inspect.renderers.viewer.facts import packed

COLUMNS = ("row", "fold", "inside", "source", "target", "arrow", "count", "carried")
NODE = shutil.which("node")
PROGRAM = """
const fs = require('fs'), vm = require('vm'), zlib = require('zlib');
const [sources, names, cases] = JSON.parse(fs.readFileSync(0, 'utf8'));
vm.runInThisContext(sources + '\\nglobalThis.api = { graphOf, unfold };');
console.log(JSON.stringify(cases.map(({ data, openings }) => {
  const raw = zlib.inflateSync(Buffer.from(data, 'base64'));
  const graph = api.graphOf(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
  return openings.map(([folds, shown]) => {
    const open = new Uint8Array(graph.folds.size);
    for (const fold of folds) open[fold] = 1;
    const scene = api.unfold(graph, { open, shown: new Map(shown) });
    return Object.fromEntries(names.map((name) => [name, Array.from(scene[name])]));
  });
})));
"""


GRAPHS = {
    "blocks": blocks(5),
    "loop": graph_of([*([[at + 1, 60] for at in range(60)]), []]),
    "diamond": make_graph("loss>add add>mul add>sin mul>exp sin>exp exp>a mul>b"),
    "chain": make_graph("loss>sin sin>exp exp>cos cos>tanh tanh>a"),
}


def openings(folds: Folds) -> Iterator[Opening]:
    count = len(folds.titles)
    yield Opening()
    yield Opening(frozenset(range(count)))
    yield Opening(frozenset(range(count)), every_instance(folds))
    chance = random.Random(7)  # the same openings each time
    for _ in range(25):
        opened = frozenset(one for one in range(count) if chance.random() < 0.6)
        shown = {
            repeat: chance.choice([EVERY, *range(int(folds.table.times[repeat]))])
            for repeat in np.flatnonzero(folds.table.kind == FoldKind.REPEAT).tolist()
            if chance.random() < 0.8
        }
        yield Opening(opened, shown)


def columns(folds: Folds, opening: Opening) -> dict[str, list[int]]:
    scene = unfold(folds, opening)
    found = {name: np.asarray(getattr(scene, name)).astype(int).tolist() for name in COLUMNS}
    return found | {"frames": list(scene.frames)}


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_the_page_unfolds_as_python_does(tmp_path: Path) -> None:
    sources = files("autograd_inspect.renderers.viewer")
    text = "\n".join(sources.joinpath(name).read_text("utf-8") for name in ("data.js", "scene.js"))
    folded = {name: fold(graph) for name, graph in GRAPHS.items()}
    assert any(FoldKind.REPEAT in folds.table.kind for folds in folded.values())
    assert any(FoldKind.CHAIN in folds.table.kind for folds in folded.values())
    cases = [
        {
            "data": base64.b64encode(
                packed(Page(make_capture(folds.graph), folds, Opening()))
            ).decode(),
            "openings": [
                [sorted(opening.folds), list(opening.shown.items())] for opening in openings(folds)
            ],
        }
        for folds in folded.values()
    ]
    program = tmp_path / "scenes.js"
    program.write_text(PROGRAM, "utf-8")
    done = subprocess.run(
        [str(NODE), str(program)],
        input=json.dumps([text, [*COLUMNS, "frames"], cases]),
        capture_output=True,
        text=True,
        check=True,
    )
    for (name, folds), found in zip(folded.items(), json.loads(done.stdout), strict=True):
        for opening, scene in zip(openings(folds), found, strict=True):
            assert scene == columns(folds, opening), (name, opening)
