"""Walking through a graph: keys are pressed, and what the screen says is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from build import graph_of, make_graph, with_origins
from nets import capture_of, in_modules

pytest.importorskip("textual")

from textual.widgets import Static

from autograd_inspect.model.capture import Capture
from autograd_inspect.renderers.text import safe
from autograd_inspect.tui.app import Browser


@dataclass(frozen=True)
class Seen:
    """What was on the screen: the tree, the pane beside it, what is under the cursor, the state."""

    lines: list[str]
    tree: list[str]
    side: str
    here: str
    state: str
    listed: list[str]


def walk(capture: Capture, *steps: str, size: tuple[int, int] = (100, 30)) -> list[Seen]:
    """Press keys, and read what is there after each step: `down down`, or `/relu` and Enter."""
    app = Browser(capture)

    async def press() -> list[Seen]:
        found = []
        async with app.run_test(size=size) as pilot:
            for step in steps:
                search = step[:1] in "/gl" and len(step) > 1
                await pilot.press(*([*step, "enter"] if search else step.split()))
                await pilot.pause()
                found.append(seen(app))
        return found

    return asyncio.run(press())


def seen(app: Browser) -> Seen:
    strips = app.screen._compositor.render_strips()
    lines = ["".join(part.text for part in strip).rstrip() for strip in strips]
    width, height = app.folds_tree.size
    state = app.screen_stack[0].query_one("#state", Static)
    return Seen(
        lines=lines,
        tree=[line[:width].rstrip() for line in lines[:height]],
        side="\n".join(line[width:] for line in lines[:height]),
        here=app.folds_tree.cursor_node.label.plain,
        state=str(state.content),
        listed=[place.label.plain for place in app.folds_tree.root.children],
    )


def test_a_repeat_is_one_line_with_pages() -> None:
    start, third, last = walk(capture_of(in_modules(12)), "", "down down right > >", "< < <")
    assert start.tree[0].startswith("◉ loss")
    assert "75 nodes · 86 edges" in start.lines[-2]
    assert "< 3 of 12 >" in third.here
    assert any("h.2 (Block)" in line for line in third.tree)
    assert not any("h.0 (Block)" in line for line in third.tree)
    assert "< 12 of 12 >" in last.here


def test_search_turns_to_the_instance_and_goes_on() -> None:
    capture = capture_of(in_modules(12))
    leaf, first, second, again, nowhere = walk(
        capture, "/h.7.lin.weight", "/relu", "n", "N", "/nowhere"
    )
    assert "addmm" in leaf.here
    assert any("< 8 of 12 >" in line for line in leaf.tree)
    assert leaf.state == "1 of 1 found"
    assert "relu" in first.here
    number, of = first.state.split(" of ")
    assert second.state == f"{int(number) % 12 + 1} of {of}"
    assert (again.here, again.state) == (first.here, first.state)
    assert nowhere.state == "nothing goes by nowhere"


def test_a_line_of_the_program_is_gone_to_and_told_about() -> None:
    capture = capture_of(in_modules(3))
    found, nothing, made = walk(capture, "gmodel.py:29", "g77", "g30", size=(160, 50))
    assert "relu" in found.here
    assert nothing.state == "nothing goes by 77"
    for fact in ("net/model.py:30 in forward", "Linear", "AddmmBackward0", "lin.weight", "uses"):
        assert fact in made.side


def test_users_and_inputs_are_gone_to_and_back() -> None:
    capture = capture_of(make_graph("loss>add add>relu relu>mm mm>tanh add>tanh tanh>exp exp>a"))
    steps = walk(capture, "/relu", "i", "u", "u", "1", "r", "la", "i")
    assert [step.here.split()[1] for step in steps] == [
        *("relu", "mm", "relu", "add", "loss", "loss", "exp", "exp")
    ]
    assert steps[-1].state == "it has no input"


def test_keys_for_what_is_alike_and_for_the_column_on_the_right() -> None:
    steps = walk(capture_of(in_modules(2)), "down down e", "e", "h", "h", "h", "h", "?")
    assert sum("add → x" in line for line in steps[0].tree) == 2
    assert not any("add → x" in line for line in steps[1].tree)
    columns = [step.state.rpartition(": ")[2] for step in steps[2:6]]
    assert columns == ["grad", "time", "nothing", "saved"]
    assert any("search operations, variables" in line for line in steps[-1].lines)


def test_hostile_names_are_text() -> None:
    for name in ("[red]x[/red]", "[/]", "a\x1b[31mb\n", "\u202eabc"):
        graph = graph_of([[1], [2], []], names={0: name, 2: name})
        graph = with_origins(graph, calls={1: "m:M"})
        modules = tuple(replace(one, path=name, cls=name) for one in graph.modules)
        (seen,) = walk(capture_of(replace(graph, modules=modules)), "/mul")
        assert all(line.isprintable() for line in seen.lines)
        assert any(safe(name) in line for line in seen.tree)
        assert safe(name) in seen.side


def test_thousands_side_by_side_are_listed_page_by_page() -> None:
    ops = [f"Op{i}xBackward0" for i in range(3000)] + ["AccumulateGrad"]
    graph = graph_of([[i + 1, min(i + 2, 3000)] for i in range(3000)] + [[]], ops=ops)
    pages, last = walk(capture_of(graph), "end enter", "/op2999x")
    assert len(pages.listed) == 1001
    assert "2,000 more" in pages.listed[-1]
    assert "op2999x" in last.here.lower()
