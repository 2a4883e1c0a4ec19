"""The page in a browser: how large it is, how soon it is drawn, how smoothly it moves; its peers.

Peers lay the same rows and arrows out in the same browser, each in a page of its own: Graphviz
as WebAssembly (`@viz-js/viz`), ELK (`elkjs`) and dagre (`@dagrejs/dagre`), fetched by npm into a
folder that is thrown away. They get every operation as a box of one size: they fold nothing. Times
are from opening the file to the picture, with nothing else running in the browser.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any

import torch
from graphs import SHAPES
from measure import Row, report

import autograd_inspect
from autograd_inspect.model.folds import Folds
from autograd_inspect.passes.folding.build import fold

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
FIRST_PAINT_BAR, FRAMES_BAR, SIZE_BAR = 2.0, 30.0, 25.0
LARGE, MILLION = 100_000, 1_000_000
#: A peer gets so many seconds for one graph, and after its first failure no larger one.
PATIENCE = 60.0
PEER_SIZES = (640, 2_560, 10_240, LARGE)
PACKAGES = {
    "Graphviz (@viz-js/viz)": ("@viz-js/viz", "dist/viz-global.js"),
    "ELK (elkjs)": ("elkjs", "lib/elk.bundled.js"),
    "dagre (@dagrejs/dagre)": ("@dagrejs/dagre", "dist/dagre.min.js"),
}
WIDTH, HEIGHT = 110, 40

_DRAW = """
function drawn(boxes, routes) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const add = (name, attributes) => {
    const element = svg.appendChild(document.createElementNS(svg.namespaceURI, name));
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  };
  for (const [x, y] of boxes) add('rect', { x: x - 55, y: y - 20, width: 110, height: 40 });
  for (const points of routes) {
    add('polyline', { points: points.map((p) => `${p.x},${p.y}`).join(' ') });
  }
  document.body.append(svg);
}
"""
_PEERS = {
    "Graphviz (@viz-js/viz)": """
      const viz = await Viz.instance();
      const lines = edges.map(([a, b]) => `${a}->${b};`).join('');
      document.body.append(viz.renderSVGElement(
        `digraph{node[shape=box,fixedsize=true,width=1.5,height=.55];${lines}}`));""",
    "ELK (elkjs)": """
      const box = { width: 110, height: 40 };
      const laid = await new ELK().layout({
        id: 'root',
        layoutOptions: { 'elk.algorithm': 'layered', 'elk.direction': 'DOWN' },
        children: Array.from({ length: count }, (_, n) => ({ id: `n${n}`, ...box })),
        edges: edges.map(([a, b], n) => ({ id: `e${n}`, sources: [`n${a}`], targets: [`n${b}`] })),
      });
      const way = ([s]) => [s.startPoint, ...(s.bendPoints || []), s.endPoint];
      drawn(laid.children.map((n) => [n.x + 55, n.y + 20]),
        laid.edges.map(({ sections }) => way(sections)));""",
    "dagre (@dagrejs/dagre)": """
      const graph = new dagre.graphlib.Graph({ multigraph: true }).setGraph({});
      for (let n = 0; n < count; n++) graph.setNode(n, { width: 110, height: 40 });
      edges.forEach(([a, b], n) => graph.setEdge(a, b, {}, n));
      dagre.layout(graph);
      drawn(graph.nodes().map((n) => [graph.node(n).x, graph.node(n).y]),
        graph.edges().map((e) => graph.edge(e).points));""",
}
_PAGE = Template("""\
<!doctype html>
<meta charset="utf-8">
<body>
<script>$library</script>
<script>
$draw
const [count, edges] = $graph;
const about = document.documentElement.dataset;
(async () => {
  try {
    $work
    performance.mark('drawn');
    about.drawn = 'yes';
  } catch (error) {
    about.failed = String(error).slice(0, 60);
  }
})();
</script>
""")
_PAN = """
(seconds) => new Promise((done) => {
  const began = performance.now();
  let frames = 0;
  const step = (now) => {
    viewer.view.pan(Math.sin(frames / 9) * 14, Math.cos(frames / 7) * 9);
    viewer.paint();
    frames++;
    if (now - began < 1000 * seconds) requestAnimationFrame(step);
    else done((1000 * frames) / (performance.now() - began));
  };
  requestAnimationFrame(step);
})
"""

_READING = """
(({ width, height }) => viewer.view.centerAt({ x: width / 2, y: height / 2, scale: 0.9 }))(
  viewer.picture)
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A graph to show, as a page and as what the peers get."""

    name: str
    nodes: int
    page: str
    folds: Folds


def cells(nodes: int) -> torch.Tensor:
    """Run one long sequence through an LSTM cell."""
    cell, state = torch.nn.LSTMCell(4, 4), (torch.zeros(1, 4), torch.zeros(1, 4))
    for _ in range(nodes // 15):
        state = cell(torch.ones(1, 4), state)
    return state[0].sum()


def subject(shape: str, nodes: int) -> Subject:
    make = cells if shape == "sequence" else SHAPES[shape]
    capture = autograd_inspect.trace(make(nodes))
    page = str(autograd_inspect.render(capture, "html"))
    return Subject(shape, len(capture.graph), page, fold(capture))


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        started = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield started
        started.close()


@contextmanager
def opened(browser: Any, text: str) -> Iterator[Any]:
    """Open a page from a file; `viewed` is the time of its first picture."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        file.write_text(text, "utf-8")
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.set_default_timeout(1000 * 120)
        page.goto(file.as_uri())
        yield page
        page.close()


def viewed(page: Any) -> float:
    """Wait for the first picture, and give the seconds that it took."""
    page.wait_for_selector("#graph[data-drawn]")
    return drawn(page)


def drawn(page: Any) -> float:
    """Give when the first picture was drawn, in seconds from the opening of the page."""
    return float(page.evaluate("performance.getEntriesByName('drawn')[0].startTime")) / 1000


def everything_open(page: Any) -> tuple[float, int]:
    """Open all; give the seconds until it is drawn, and the number of boxes."""
    before = page.get_attribute("#graph", "data-drawn")
    began = time.perf_counter()
    page.keyboard.press("x")
    page.wait_for_selector(f"#graph:not([data-drawn='{before}'])")
    return time.perf_counter() - began, int(page.get_attribute("#graph", "data-drawn"))


def measure_page(browser: Any, shown: Subject) -> Iterator[Row]:
    what = f"{shown.name}, {shown.nodes:,} nodes"
    size = len(shown.page) / 1e6
    large = shown.nodes >= MILLION * 0.9
    yield Row(
        f"{what}: file",
        f"<= {SIZE_BAR:g} MB at a million",
        f"{size:.2f} MB",
        size <= SIZE_BAR if large else None,
    )
    with opened(browser, shown.page) as page:
        first = viewed(page)
        met = first <= FIRST_PAINT_BAR
        yield Row(f"{what}: first picture", f"<= {FIRST_PAINT_BAR:g} s", f"{first:.2f} s", met)
        rate = page.evaluate(_PAN, 2)
        yield frames(f"{what}: moving the first picture", rate)
        spent, boxes = everything_open(page)
        yield Row(f"{what}: all {boxes:,} boxes laid out and drawn", "stated", f"{spent:.2f} s")
        yield frames(f"{what}: moving all of it", page.evaluate(_PAN, 2))
        page.evaluate(_READING)
        yield frames(f"{what}: moving it at reading size", page.evaluate(_PAN, 2))


def frames(what: str, rate: float) -> Row:
    return Row(what, f">= {FRAMES_BAR:g} frames/s", f"{rate:.0f} frames/s", rate >= FRAMES_BAR)


def peer_page(library: str, peer: str, folds: Folds) -> str:
    arrows = folds.arrows
    ends = list(zip(arrows.target.tolist(), arrows.source.tolist(), strict=True))
    return _PAGE.substitute(
        library=library, graph=json.dumps([len(folds), ends]), draw=_DRAW, work=_PEERS[peer]
    )


def measure_peer(browser: Any, peer: str, library: str, shown: Subject) -> tuple[str, bool]:
    """Give what came of a peer in words, and whether it managed."""
    from playwright.sync_api import Error

    try:
        with opened(browser, peer_page(library, peer, shown.folds)) as page:
            page.set_default_timeout(1000 * PATIENCE)
            page.wait_for_selector("html[data-drawn], html[data-failed]", state="attached")
            failed = page.get_attribute("html", "data-failed")
            if failed:
                return f"fails: {failed}", False
            return f"{drawn(page):.2f} s", True
    except Error as error:
        if "Timeout" in str(error):
            return f"not within {PATIENCE:g} s", False
        return "the tab dies", False


def measure_peers(folder: Path) -> Iterator[Row]:
    names = [package for package, _ in PACKAGES.values()]
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", *names]
    subprocess.run(install, cwd=folder, check=True)
    alive = dict.fromkeys(_PEERS, True)
    for size in PEER_SIZES:
        shown = subject("sequence", size)
        what = f"sequence, {shown.nodes:,} nodes"
        with browser() as ours, opened(ours, shown.page) as page:
            first = viewed(page)
            spent, boxes = everything_open(page)
        yield Row(
            f"{what}: agi, first view; then all {boxes:,} boxes",
            "-",
            f"{first:.2f} s; {spent:.2f} s",
        )
        for peer, (package, file) in PACKAGES.items():
            if not alive[peer]:
                continue
            library = (folder / "node_modules" / package / file).read_text("utf-8")
            with browser() as theirs:  # of its own: it may not survive
                measured, alive[peer] = measure_peer(theirs, peer, library, shown)
            yield Row(f"{what}: {peer}, {len(shown.folds):,} boxes", "-", measured)


def main(*parts: str) -> None:
    rows: list[Row] = []
    if not parts or "page" in parts:
        for shape, nodes in (("gpt", 3 * LARGE), ("sequence", LARGE)):
            with browser() as started:
                rows += measure_page(started, subject(shape, nodes))
    if not parts or "million" in parts:
        with browser() as started:
            rows += measure_page(started, subject("gpt", MILLION))
    if not parts or "peers" in parts:
        with TemporaryDirectory() as folder:
            rows += measure_peers(Path(folder))
    report(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
