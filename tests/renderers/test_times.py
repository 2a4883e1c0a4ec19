"""The table of times: what a terminal shows, and names that contain anything."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from build import make_capture

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.places import Module
from autograd_inspect.model.profile import Profile
from autograd_inspect.model.times import Frame, Outside, Sample, Samples, Timed, Times
from autograd_inspect.renderers import speedscope, times
from autograd_inspect.renderers.text import duration

CAPTURE: Capture = make_capture()
ROW = Timed("addmm", 2, 3_000_000, 1_000_000, 3_000_000, 1_000_000, 2048, 0)
HOSTILE = "na\nme\t\x1b[31m[bold]"


def told(*rows: Timed, by: str = "op", **profile: object) -> Times:
    facts = Profile(step=1, forward=6_000_000, backward=2_000_000, linked=3)
    return Times(
        by=by,
        rows=rows or (ROW,),
        groups=max(len(rows), 1),
        nodes=3,
        forward=3_000_000,
        backward=1_000_000,
        memory=2048,
        device=0,
        outside=(Outside("randn", False, 1, 1_000_000, 64, 0),),
        profile=replace(facts, **profile),  # type: ignore[arg-type]
    )


def test_on_a_terminal() -> None:
    assert times.render(CAPTURE, told(), width=120).splitlines() == [
        "op                   calls  forward  backward  time  share   memory",
        "addmm                    2     3 ms      1 ms  4 ms  80.0%  2.0 KiB",
        "(outside the graph)      1     1 ms            1 ms  20.0%     64 B",
        "",
        " · ".join(
            [
                *("forward 6 ms", "backward 2 ms", "4 ms in the graph's operations"),
                *("1 ms in others", "3 ms between them"),
            ]
        ),
        "outside the graph: randn 1 ms",
    ]


def test_with_ascii_alone() -> None:
    assert times.render(CAPTURE, told(replace(ROW, forward=1500)), ascii=True).isascii()


def test_total_has_a_column_where_it_says_more() -> None:
    row = replace(ROW, forward_total=4_000_000, module=Module("net", "fc", "Linear"), name="fc")
    heading, first, *_ = times.render(CAPTURE, told(row, by="module"), width=120).splitlines()
    assert "total" in heading
    assert first.startswith("fc (Linear)")


@pytest.mark.parametrize("by", ["op", "node"])
def test_names_that_contain_anything(by: str) -> None:
    row = replace(ROW, name=HOSTILE, variable=HOSTILE, node=0 if by == "node" else -1)
    found = replace(told(row, by=by), outside=(Outside(HOSTILE, True, 1, 5, 0, 0),))
    drawn = times.render(CAPTURE, found, width=200)
    assert "\x1b" not in drawn
    assert "[bold]" in drawn
    lines = times.tabbed(found).splitlines()
    assert len({line.count("\t") for line in lines}) == 1
    assert json.loads(times.to_json(CAPTURE, found))["rows"][0]["name"] == HOSTILE


def test_remarks() -> None:
    assert list(times.remarks(told(step=2))) == []
    assert list(times.remarks(told(linked=1, notes=("a note",)))) == [
        "the first step includes warm-up; --step 3 times a later one",
        "2 of 3 nodes did not run meanwhile",
        "a note",
    ]


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        *((0, "0 ns"), (999, "999 ns"), (1000, "1 µs"), (1234, "1.23 µs"), (999_499, "999 µs")),
        *((999_500, "1 ms"), (12_345_678, "12.3 ms"), (59_900_000_000, "59.9 s")),
        *((60_000_000_000, "1 min 0 s"), (3_725_000_000_000, "62 min 5 s")),
    ],
)
def test_durations(nanoseconds: int, text: str) -> None:
    assert duration(nanoseconds) == text


def test_longer_durations_never_read_shorter() -> None:
    def seconds(text: str) -> float:
        words = text.split()
        units = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
        return sum(float(n) * units[u] for n, u in zip(words[::2], words[1::2], strict=True))

    shown = [seconds(duration(int(1.07**power))) for power in range(400)]
    assert all(one <= following for one, following in pairwise(shown))


def test_a_flame_graph_shares_its_frames() -> None:
    model, line = Frame(HOSTILE), Frame("a.py:3", "a.py", 3)
    forward = Samples("forward", (Sample((model, line), 5), Sample((model,), 2)))
    file = json.loads(speedscope.render(CAPTURE, [forward, Samples("backward", ())]))
    assert file["shared"]["frames"] == [
        {"name": HOSTILE},
        {"name": "a.py:3", "file": "a.py", "line": 3},
    ]
    assert file["profiles"][0]["samples"] == [[0, 1], [0]]
    assert file["profiles"][0]["weights"] == [5, 2]
    assert file["profiles"][1]["samples"] == []
