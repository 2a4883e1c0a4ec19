"""The facts that one run gives, against what the program says of itself."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import torch
from checked import facts_of, line_of

from autograd_inspect.model.capture import Backward
from autograd_inspect.model.facts import EventKind

TRAINING = """
    import torch
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    history = []
    for step in range(4):
        loss = model(torch.ones(3, 2)).square().mean()  # the loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
"""


def test_events_are_the_calls_of_the_program_in_order(tmp_path: Path) -> None:
    facts = facts_of(TRAINING, tmp_path)

    backward, step = line_of(TRAINING, "loss.backward()"), line_of(TRAINING, "optimizer.step()")
    told = [(event.kind, event.name, event.place.line) for event in facts.events if event.place]
    assert told == 4 * [
        (EventKind.BACKWARD, "loss", backward),
        (EventKind.STEP, "optimizer", step),
    ]
    assert [event.number for event in facts.events] == [1, 0, 2, 0, 3, 0, 4, 0]


def test_the_first_three_calls_of_a_line_are_captured(tmp_path: Path) -> None:
    facts = facts_of(TRAINING, tmp_path)

    assert [capture.about.number for capture in facts.captures] == [1, 2, 3]
    assert {capture.about.backward for capture in facts.captures} == {Backward.SCRIPT}
    assert facts.training is not None
    assert facts.training.seen == 4


def test_the_program_sees_nothing_of_it(tmp_path: Path) -> None:
    telling = TRAINING + (
        "    import json, pathlib\n"
        "    state = [p.tolist() for p in model.parameters()], history, torch.rand(1).item()\n"
        "    pathlib.Path(__file__).with_name('seen.json').write_text(json.dumps(state))\n"
    )
    facts_of(telling, tmp_path)
    watched = (tmp_path / "seen.json").read_text()
    program = tmp_path / "program.py"
    exec(program.read_text(), {"__file__": str(program)})
    assert (tmp_path / "seen.json").read_text() == watched


def test_a_program_that_runs_for_ever_is_stopped(tmp_path: Path) -> None:
    endless = TRAINING.replace("for step in range(4)", "while True")

    facts = facts_of(endless, tmp_path, steps=5)

    assert facts.stopped
    assert facts.training is not None
    assert facts.training.seen == 5
    # What else has a graph here is held by tests that ran before, and by pytest.
    assert [held.name for held in facts.held if "items[" not in held.name] == ["loss"]


def test_a_program_without_an_optimizer_is_stopped_after_so_many_backwards(tmp_path: Path) -> None:
    facts = facts_of(
        """
        import torch
        w = torch.ones(2, requires_grad=True)
        while True:
            (w * 2).sum().backward()
        """,
        tmp_path,
        steps=6,
    )
    assert facts.stopped
    assert len(facts.events) == 6


def test_an_error_is_told_with_the_tensors_of_its_frame(tmp_path: Path) -> None:
    program = """
        import torch

        def f(w):
            y = torch.relu(w)  # made
            y += 1
            y.sum().backward()  # died

        f(torch.ones(3, requires_grad=True))
    """
    failure = facts_of(program, tmp_path).failure

    assert failure is not None
    assert failure.type == "RuntimeError"
    assert failure.place is not None
    assert (failure.place.line, failure.place.function) == (line_of(program, "# died"), "f")
    assert "backward" in failure.through
    assert failure.capture == 0
    by_name = {one.name: one for one in failure.tensors}
    assert by_name["w"].is_leaf
    assert by_name["w"].requires_grad
    assert by_name["y"].version == 1
    assert by_name["y"].node == "AddBackward0"


def test_what_a_graph_does_not_lead_to_is_named(tmp_path: Path) -> None:
    failure = facts_of(
        """
        import torch
        x = torch.ones(2, requires_grad=True)
        y = torch.ones(2, requires_grad=True)
        torch.autograd.grad(x.sum(), [x, y])
        """,
        tmp_path,
    ).failure
    assert failure is not None
    assert [one.name for one in failure.unused] == ["y"]


def test_gradients_with_a_graph_are_told(tmp_path: Path) -> None:
    facts = facts_of(
        """
        import torch, warnings
        warnings.simplefilter("ignore")
        model = torch.nn.Linear(2, 1, bias=False)
        model(torch.ones(1, 2)).square().sum().backward(create_graph=True)
        """,
        tmp_path,
    )
    assert [one.name for one in facts.gradients] == ["model.weight.grad"]
    assert facts.events[0].creates


def test_custom_functions_are_checked(tmp_path: Path) -> None:
    facts = facts_of(
        """
        import torch

        class Half(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x / 2

            @staticmethod
            def backward(ctx, grad):
                return grad

        Half.apply(torch.ones(3, requires_grad=True)).sum().backward()
        """,
        tmp_path,
    )
    assert facts.gradcheck is not None
    assert [check.name for check in facts.gradcheck.checks] == ["Half"]
    assert facts.gradcheck.findings == 1


def test_nothing_of_the_program_is_kept_alive(tmp_path: Path) -> None:
    died: list[bool] = []
    torch._keep_for_test = lambda tensor: weakref.finalize(tensor, died.append, True)  # type: ignore[attr-defined]
    try:
        facts = facts_of(
            """
            import torch
            def f():
                big = torch.ones(5, requires_grad=True) * 2
                torch._keep_for_test(big)
                big.sum().backward()
            f()
            """,
            tmp_path,
        )
    finally:
        del torch._keep_for_test  # type: ignore[attr-defined]
    gc.collect()
    assert facts.captures
    assert died == [True]
