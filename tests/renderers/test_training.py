"""A training as a table, in a line, as JSON and as curves."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from autograd_inspect.model.training import Finding, Group, Loss, Movement, Shown, Step, Training
from autograd_inspect.renderers import training as drawn
from autograd_inspect.renderers.training_plot import plot

NASTY = "los\x1b[31ms\n[bold]\t$x$"


def step(number: int, **changes: object) -> Step:
    moved = Movement(1.0 / number, 10.0, 0.1, 0.01)
    facts: dict = {
        "number": number,
        "optimizer": 0,
        "losses": (Loss("loss", 2.0 / number, 1),),
        "moved": moved,
        "groups": {0: moved},
        "backwards": 1,
        "added": 0,
        "nodes": 1234,
        "saved": 2048,
        "earlier": 0,
        "live": 0,
        "reused": 0,
        "attached": 0,
        "seconds": 0.0125,
        "backward": 0.004,
        "stepping": 0.001,
    }
    return Step(**(facts | changes))


def training(*steps: Step, **changes: object) -> Training:
    facts: dict = {
        "target": "train.py",
        "arguments": (),
        "wanted": len(steps),
        "seen": len(steps),
        "by": "group",
        "steps": steps,
        "optimizers": ("optimizer",),
        "groups": (Group("optimizer", 0, 2, 30),),
        "parameters": (),
        "shown": (),
    }
    return Training(**(facts | changes))


def test_a_step_is_a_row_with_the_figures_people_look_for() -> None:
    text = drawn.render(training(step(1, seconds=None), step(2)))
    head, first, second, empty, sums = text.splitlines()
    assert head.split() == [
        "step", "loss", "∇", "update/weight", "lr", "nodes", "saved", "live", "time",
    ]  # fmt: skip
    assert first.split() == ["1", "2", "1", "0.01", "0.01", "1,234", "2.0", "KiB", "0"]
    assert second.split() == [
        "2", "1", "0.5", "0.01", "0.01", "1,234", "2.0", "KiB", "0", "12.5", "ms",
    ]  # fmt: skip
    assert (empty, sums) == ("", "2 steps · 0 parameters · 0 never updated · 12.5 ms a step")


def test_many_steps_are_summed_up_by_the_first_the_last_and_the_worst() -> None:
    steps = [step(n) for n in range(1, 201)]
    steps[76] = step(77, moved=Movement(99.0, 10.0, 0.1))
    chosen = drawn.chosen_steps(training(*steps), 12)
    numbers = [one.number for one in chosen]
    assert len(numbers) <= 12
    assert numbers == sorted(numbers)
    assert {1, 77, 200} <= set(numbers)
    assert "12 of 200 steps shown" in drawn.render(training(*steps), rows=12)
    assert drawn.chosen_steps(training(*steps), None) == steps
    assert drawn.chosen_steps(training(step(1)), 2) == [step(1)]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_no_line_of_the_table_is_wider_than_the_terminal(width: int) -> None:
    text = drawn.render(training(step(1), step(2)), width=width)
    table = text.partition("\n\n")[0].splitlines()
    assert all(len(line) <= width for line in table if not line.startswith("no room"))


def test_names_of_the_program_are_made_safe_everywhere() -> None:
    one = training(
        step(1, losses=(Loss(NASTY, 1.0, 1),)),
        optimizers=(NASTY, "other"),
        groups=(Group(NASTY, 0, 1, 3), Group("b", 1, 1, 3)),
        shown=(Shown(NASTY, (1.0,), (2.0,)), Shown(f"{NASTY}2", None, None)),
        findings=(Finding("x", is_fault=True, message=NASTY, evidence=(NASTY,)),),
    )
    texts = [
        drawn.render(one),
        drawn.render(one, ascii=True),
        drawn.tabbed(one),
        drawn.live_line(one.steps[0], one.optimizers, 5),
        *drawn.remarks(one),
        *drawn.said(one),
    ]
    for text in texts:
        assert "\x1b" not in text
    assert drawn.render(one, ascii=True).isascii()
    header, *rows = drawn.tabbed(one).splitlines()
    assert {len(row.split("\t")) for row in rows} == {len(header.split("\t"))}
    assert json.loads(drawn.to_json(one))["optimizers"] == [NASTY, "other"]
    assert b"\x1b" not in plot(one, "svg")


def test_each_loss_has_a_column_and_what_does_not_apply_is_left_out() -> None:
    a, b = (Loss("a", 1.5, 2),), (Loss("b", 2.5, 1),)
    one = training(
        step(1, losses=a, backwards=2), step(2, losses=b, optimizer=1), optimizers=("x", "y")
    )
    head, first, second, *_ = drawn.render(one).splitlines()
    assert head.split()[:5] == ["step", "optimizer", "a", "b", "calls"]
    assert first.split()[:4] == ["1", "x", "1.5", "2"]
    assert second.split()[:4] == ["2", "y", "2.5", "1"]


def test_what_was_not_measured_is_empty_or_null_and_what_is_not_finite_a_string() -> None:
    odd = Movement(float("inf"), None, float("nan"), None)
    one = training(step(1, moved=odd, saved=-1, losses=(Loss("loss", None, 1),), seconds=None))
    [row] = list(csv.DictReader(io.StringIO(drawn.csv(one))))
    assert (row["gradient"], row["weight"], row["update"]) == ("inf", "", "nan")
    assert (row["ratio"], row["rate"], row["loss"], row["seconds"]) == ("", "", "", "")
    found = json.loads(drawn.to_json(one), parse_constant=pytest.fail)["rows"][0]
    assert (found["gradient"], found["weight"], found["update"]) == ("inf", None, "nan")
    assert found["losses"][0]["value"] is None
    assert "inf" in drawn.render(one)


def test_values_are_listed_before_and_after() -> None:
    one = training(step(1), shown=(Shown("w[0:2]", (1.0, 2.0), (1.5, 1.0)),))
    lines = drawn.render(one).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("w[0:2]"))
    assert lines[at].split() == ["w[0:2]", "before", "after", "change"]
    assert lines[at + 1].split() == ["[0]", "1", "1.5", "0.5"]
    assert lines[at + 2].split() == ["[1]", "2", "1", "-1"]
    lost = replace(one, shown=(Shown("v", None, None),))
    assert any("--show v" in remark for remark in drawn.remarks(lost))


def test_remarks_say_what_the_figures_do_not() -> None:
    one = training(step(1), wanted=5, stride=4, sampled=10)
    assert list(drawn.remarks(one)) == [
        "the program was over after 1 of 5 steps",
        "every 4th step was kept; what is counted, is counted in all",
        "updates are estimated from one in 10 elements of the weights",
    ]
    assert list(drawn.remarks(training(step(1)))) == []


def test_no_step_at_all_leaves_the_findings() -> None:
    one = training(findings=(Finding("slug", is_fault=True, message="why"),))
    assert drawn.render(one).startswith("slug: why\n")
    assert drawn.tabbed(one).count("\n") == 1
    assert plot(one, "svg").startswith(b"<?xml")


@pytest.mark.parametrize(
    ("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_curves_are_written_the_same_each_time(kind: str, start: bytes) -> None:
    one = training(*[step(n) for n in range(1, 30)], step(30, moved=Movement(0.0, 1.0, 0.0)))
    first = plot(one, kind)
    assert first.startswith(start)
    assert plot(one, kind) == first


def test_the_curves_name_groups_and_losses() -> None:
    moved = Movement(1.0, 10.0, 0.1)
    one = training(
        step(1, groups={0: moved, 1: moved}),
        step(2, groups={0: moved, 1: moved}),
        groups=(Group("encoder", 0, 1, 3), Group("_head", 0, 1, 3)),
    )
    text = plot(one, "svg").decode()
    assert all(name in text for name in ("encoder", "_head", "loss", "gradient norm"))
