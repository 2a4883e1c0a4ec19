"""What is said of a training, from figures alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograd_inspect.analyses.training import judged
from autograd_inspect.model.training import Fate, Group, Held, Loss, Movement, Step, Training

MOVED = Movement(1.0, 10.0, 0.1, 0.01)
STEP = Step(
    number=1,
    optimizer=0,
    losses=(Loss("loss", 1.0, 1),),
    moved=MOVED,
    groups={0: MOVED},
    backwards=1,
    added=0,
    nodes=10,
    saved=100,
    earlier=0,
    live=0,
    reused=0,
    attached=0,
    seconds=0.01,
    backward=0.004,
    stepping=0.001,
)
FATE = Fate(
    name="model.weight",
    shape=(3,),
    optimizers=(0,),
    is_held=True,
    is_owned=True,
    requires_grad=True,
    reached=8,
    steps=8,
    arrived=8,
    nonzero=8,
    moved=8,
)


def training(count: int = 8, fates: tuple[Fate, ...] = (FATE,), **changes: object) -> Training:
    """Make a healthy training whose steps differ as told: by name, a value or one per step."""
    of_steps = {name: changes.pop(name) for name in list(changes) if hasattr(STEP, name)}
    steps = [
        replace(
            STEP,
            number=at + 1,
            **{k: v[at] if isinstance(v, list) else v for k, v in of_steps.items()},
        )
        for at in range(count)
    ]
    facts: dict = {
        "target": "train.py",
        "arguments": (),
        "wanted": 20,
        "seen": count,
        "by": "group",
        "steps": tuple(steps),
        "optimizers": ("optimizer",),
        "groups": (Group("optimizer", 0, 1, 3),),
        "parameters": fates,
        "shown": (),
    }
    return Training(**(facts | changes))


def slugs(one: Training) -> list[tuple[str, bool]]:
    return [(finding.slug, finding.is_fault) for finding in judged(one).findings]


def test_there_is_nothing_to_say_of_a_healthy_training() -> None:
    assert slugs(training()) == []


def test_gradients_used_again_are_a_fault_and_accumulated_ones_a_fact() -> None:
    again = training(reused=[0, *[1] * 7], reused_steps=7, added=1)
    assert slugs(again) == [("missing_zero_grad", True)]
    assert "7 of 8 steps" in judged(again).findings[0].message
    assert slugs(training(added=3)) == [("gradients_accumulated", False)]
    assert "4 backward calls" in judged(training(added=3)).findings[0].message
    assert slugs(training(added=[3, 0, 0, 0, 0, 0, 0, 0])) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"is_held": False, "is_owned": False, "name": ""}, True),  # of no module: forgotten
        ({"is_held": False, "name": "model.bias"}, True),  # its sisters are in an optimizer
        ({"is_held": False, "name": "judge.weight"}, False),  # nothing of its model is
    ],
)
def test_parameters_that_no_optimizer_holds(changes: dict, expected: bool) -> None:
    lacking = replace(FATE, optimizers=(), steps=0, arrived=0, nonzero=0, moved=0, **changes)
    assert slugs(training(fates=(FATE, lacking))) == [("optimizer_lacks_params", expected)]


def test_those_that_are_frozen_or_wait_for_their_optimizer_are_fine() -> None:
    apart = replace(FATE, optimizers=(), steps=0, arrived=0, nonzero=0, moved=0)
    frozen = replace(apart, is_held=False, requires_grad=False)
    assert slugs(training(fates=(FATE, apart, frozen))) == []


def test_an_optimizer_of_a_layer_that_was_replaced() -> None:
    old = replace(FATE, name="", is_owned=False, reached=0, arrived=0, nonzero=0, moved=0)
    new = replace(FATE, name="model.head", optimizers=(), is_held=False, steps=0)
    assert slugs(training(fates=(FATE, old, new))) == [("optimizer_stale_params", True)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"arrived": 0, "nonzero": 0}, "no gradient ever arrived"),
        ({"nonzero": 0}, "zero in every step"),
        ({}, "exactly zero"),
    ],
)
def test_parameters_that_never_moved_are_told_with_the_reason(changes: dict, why: str) -> None:
    still = replace(FATE, name="model.still", moved=0, **changes)
    partly = judged(training(fates=(FATE, still))).findings
    assert [(one.slug, one.is_fault) for one in partly] == [("parameter_never_updated", False)]
    assert why in partly[0].message and "model.still" in partly[0].message
    assert slugs(training(fates=(still,))) == [("parameter_never_updated", True)]
    assert slugs(training(fates=(replace(still, requires_grad=False),))) == []


def test_graphs_that_grow_and_graphs_that_are_shared() -> None:
    grows = training(earlier=[10 * at for at in range(8)], nodes=[10 + 10 * at for at in range(8)])
    assert slugs(grows) == [("graph_grows_over_steps", True)]
    shared = training(earlier=[0, *[5] * 7])
    assert slugs(shared) == [("graph_shared_between_steps", False)]


def test_a_backward_that_failed_on_an_earlier_graph() -> None:
    again = training(1, unfinished=12, failed="RuntimeError: Trying to backward a second time")
    assert slugs(again) == [("state_carries_graph", True)]
    changed = replace(again, failed="RuntimeError: ... modified by an inplace operation: ...")
    assert slugs(changed) == [("optimizer_step_between", True)]


def test_live_graphs_are_a_fault_when_there_are_more_and_more() -> None:
    kept = training(live=list(range(8)), held=(Held("losses[0]", (), 1), Held("loss", (), 8)))
    assert slugs(kept) == [("stored_tensor_keeps_graph", True)]
    assert judged(kept).findings[0].evidence == ("held by losses[0]",)
    assert slugs(training(live=1)) == []
    assert slugs(training(live=[0, 1, 2, 3, 3, 3, 3, 3])) == []  # a window of three
    assert slugs(training(live=[0, 1, 2, 3, 0, 1, 2, 3])) == []  # emptied in between
    assert slugs(training(growing=6)) == [("stored_tensor_keeps_graph", True)]
    assert slugs(training(growing=2)) == []


def test_what_is_not_finite_is_told_once_with_its_first_step() -> None:
    nan = float("nan")
    odd = training(losses=[*[STEP.losses] * 3, *[(Loss("loss", nan, 1),)] * 5])
    [finding] = judged(odd).findings
    assert (finding.slug, "step 4" in finding.message) == ("not_finite", True)
    assert slugs(training(losses=(Loss("several", None, 1),))) == []
    assert slugs(training(moved=Movement(float("inf"), 1.0, 1.0))) == [("not_finite", True)]


def test_faults_come_before_facts() -> None:
    found = slugs(training(added=1, attached=2, skipped=3))
    assert found == [
        ("create_graph_in_grad", True),
        ("steps_skipped", False),
        ("gradients_accumulated", False),
    ]
