"""Arrows from one turn of a folded loop to the next, as every picture draws them."""

from __future__ import annotations

import json
import shutil
import subprocess
import zlib
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from framed import make_loop

from autograd_inspect.renderers import dot, mermaid, pdf, svg

PATH = "{http://www.w3.org/2000/svg}path"


def test_svg_dashes_it_and_only_it() -> None:
    view = make_loop()
    text = svg.render(view)
    arrows = [p.attrib["class"] for p in ET.fromstring(text).iter(PATH) if "d" in p.attrib]
    kinds = [kind for kind in arrows if kind != "head"]
    assert kinds == ["arrow"] * (len(view.source) - 1) + ["arrow carried"]
    assert ".carried { stroke-dasharray" in text
    assert "carried" not in svg.render(replace(view, carried=()))


def test_pdf_dashes_it_and_only_it() -> None:
    file = pdf.render(make_loop())
    drawing = zlib.decompress(file.partition(b"stream\n")[2].partition(b"\nendstream")[0])
    lines = drawing.decode("latin-1").split("\n")
    begin = next(i for i, line in enumerate(lines) if line.endswith("1.2 w"))
    dashes = [line for line in lines[begin:] if line in {"[5 3] 0 d", "[] 0 d"}]
    arrows = len(make_loop().source)
    assert dashes[:arrows] == ["[] 0 d"] * (arrows - 1) + ["[5 3] 0 d"]


def test_dot_leaves_it_out_of_the_ranks() -> None:
    text = dot.render(make_loop())
    assert "  1 -> 2 [style=dashed, constraint=false];\n" in text
    assert text.count("style=dashed, constraint") == 1
    assert "  2 -> 1;\n" in text
    labelled = replace(make_loop(), label=["", "", "", "", 'h"'])
    assert 'constraint=false, label="h\\""];' in dot.render(labelled)
    assert "  2 -> 1 [style=dashed" in dot.render(make_loop(), reverse=True)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it() -> None:
    command = ["dot", "-Tjson"]
    text = dot.render(make_loop())
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    drawing = json.loads(run.stdout)
    names = [one["name"] for one in drawing["objects"]]
    dashed = [edge for edge in drawing["edges"] if edge.get("style") == "dashed"]
    assert [(names[edge["tail"]], names[edge["head"]]) for edge in dashed] == [("1", "2")]


def test_mermaid_dashes_it() -> None:
    text = mermaid.render(make_loop())
    assert "  n1 -.-> n2\n" in text
    assert "  n2 --> n1\n" in text
    assert text.count("-.->") == 1
    assert '  n1 -.->|"h"| n2\n' in mermaid.render(replace(make_loop(), label=[*"abcd", "h"]))
