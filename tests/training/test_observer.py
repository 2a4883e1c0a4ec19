"""Programs that train, watched: every figure against what the program itself can compute."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional
from watched import watch

from autograd_inspect.model.training import Step
from autograd_inspect.run.stop import Stop


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))


def norm(tensors: Iterator[torch.Tensor] | list[torch.Tensor]) -> float:
    return float(torch.cat([one.detach().flatten().double() for one in tensors]).norm())


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    from torch.autograd import graph
    from torch.optim import optimizer

    engine, scale = graph._engine_run_backward, torch.amp.GradScaler.scale
    yield
    assert graph._engine_run_backward is engine
    assert torch.amp.GradScaler.scale is scale
    assert not optimizer._global_optimizer_pre_hooks
    assert not optimizer._global_optimizer_post_hooks


def test_every_figure_of_a_step_is_what_the_program_computes_itself() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    truth = []

    def program() -> None:
        for _ in range(5):
            optimizer.zero_grad()
            loss = model(torch.randn(4, 6)).pow(2).sum()
            loss.backward()
            before = copy.deepcopy(list(model.parameters()))
            rate = optimizer.param_groups[0]["lr"]
            gradient = norm([p.grad for p in model.parameters()])
            optimizer.step()
            after = list(model.parameters())
            update = norm([one - other for one, other in zip(after, before, strict=True)])
            truth.append((loss.item(), gradient, norm(before), update, rate))
            schedule.step()

    found = watch(program).steps
    assert [step.number for step in found] == [1, 2, 3, 4, 5]
    for step, (loss, gradient, weight, update, rate) in zip(found, truth, strict=True):
        assert [(one.name, one.value) for one in step.losses] == [("loss", loss)]
        assert step.losses[0].place.function == "program"
        assert step.moved.gradient == pytest.approx(gradient, rel=1e-5)
        assert step.moved.weight == pytest.approx(weight, rel=1e-5)
        assert step.moved.update == pytest.approx(update, rel=1e-3)
        assert step.moved.ratio == pytest.approx(update / weight, rel=1e-3)
        assert step.moved.rate == rate
        assert (step.backwards, step.earlier, step.live, step.reused) == (1, 0, 0, 0)
        assert step.nodes == found[0].nodes
    assert found[0].seconds is None
    assert all(step.seconds > 0 for step in found[1:])


OPTIMIZERS: dict[str, Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
    "fused": lambda p: torch.optim.Adam(p, lr=0.01, fused=True),
    "foreach": lambda p: torch.optim.RMSprop(p, lr=0.01, foreach=True),
    "lbfgs": lambda p: torch.optim.LBFGS(p, lr=0.5, max_iter=4),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_watched_training_is_the_same_bit_for_bit(name: str) -> None:
    def run(*, watched: bool) -> tuple[list[float], list[torch.Tensor], torch.Tensor, list[object]]:
        model = net()
        optimizer = OPTIMIZERS[name](model.parameters())
        losses = []

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            batch = torch.randn(4, 6)
            loss = functional.dropout(model(batch), 0.3).pow(2).sum()
            loss.backward()
            losses.append(loss.item())
            return loss

        def program() -> None:
            for _ in range(6):
                optimizer.step(closure)

        if watched:
            assert len(watch(program).steps) == 6
        else:
            program()
        parameters = list(model.parameters())
        versions = [(p._version, p.grad._version, p.grad.grad_fn) for p in parameters]
        return losses, [*parameters, *(p.grad for p in parameters)], torch.rand(3), versions

    plain, seen = run(watched=False), run(watched=True)
    assert seen[0] == plain[0]
    assert all(torch.equal(one, other) for one, other in zip(seen[1], plain[1], strict=True))
    assert torch.equal(seen[2], plain[2])  # the random numbers that follow
    assert seen[3] == plain[3]


def test_gradients_made_by_a_closure_are_those_at_the_end_of_the_step() -> None:
    model = net()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
    truth, calls = [], []
    batch = torch.randn(4, 6)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(batch).pow(2).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    def program() -> None:
        for _ in range(3):
            optimizer.step(closure)
            truth.append((len(calls), norm([p.grad for p in model.parameters()])))

    steps = watch(program).steps
    counted = 0
    for step, (number, gradient) in zip(steps, truth, strict=True):
        assert step.backwards == number - counted
        assert step.losses[0].calls == step.backwards
        values = calls[counted:number]
        assert step.losses[0].value == pytest.approx(sum(values) / len(values))
        assert step.moved.gradient == pytest.approx(gradient, rel=1e-5)
        assert (step.reused, step.added) == (0, 0)
        counted = number


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("every", [1, 3])
def test_accumulation_that_is_meant_is_no_reuse(every: int, *, set_to_none: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def program() -> None:
        for batch in range(12):
            model(torch.randn(4, 6)).pow(2).sum().backward()
            if batch % every == every - 1:
                optimizer.step()
                optimizer.zero_grad(set_to_none=set_to_none)

    steps = watch(program).steps
    assert [step.reused for step in steps] == [0] * (12 // every)
    assert [step.backwards for step in steps] == [every] * (12 // every)
    assert [step.added for step in steps[1:]] == [every - 1] * (12 // every - 1)


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("per_step", [1, 2])
def test_gradients_that_nobody_cleared_are_noticed(per_step: int, *, clip: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def program() -> None:
        for _ in range(4):
            for _ in range(per_step):
                model(torch.randn(4, 6)).pow(2).sum().backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    assert [step.reused for step in watch(program).steps] == [0, 4, 4, 4]


def test_only_the_parameters_left_uncleared_count() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def program() -> None:
        for _ in range(3):
            model[0].zero_grad()
            model(torch.randn(4, 6)).pow(2).sum().backward()
            optimizer.step()

    assert [step.reused for step in watch(program).steps] == [0, 2, 2]


def test_a_gradient_used_twice_without_a_backward_between_is_no_accumulation() -> None:
    model = net()
    first = torch.optim.SGD(model.parameters(), lr=0.01)

    def program() -> None:
        model(torch.randn(4, 6)).pow(2).sum().backward()
        first.step()
        first.step()

    assert [step.reused for step in watch(program).steps] == [0, 0]


@pytest.mark.parametrize("set_to_none", [True, False])
def test_two_optimizers_with_losses_that_leak_into_each_other_are_healthy(
    *, set_to_none: bool
) -> None:
    torch.manual_seed(0)
    generator, critic = nn.Linear(3, 2), nn.Linear(2, 1)
    for_generator = torch.optim.Adam(generator.parameters(), lr=0.01)
    for_critic = torch.optim.SGD(critic.parameters(), lr=0.01)

    def program() -> None:
        for _ in range(4):
            made = generator(torch.randn(5, 3))
            critic_loss = critic(made.detach()).mean() - critic(torch.randn(5, 2)).mean()
            for_critic.zero_grad(set_to_none=set_to_none)
            critic_loss.backward()
            for_critic.step()
            generator_loss = -critic(made).mean()
            for_generator.zero_grad(set_to_none=set_to_none)
            generator_loss.backward()  # leaves gradients in the critic, which are cleared above
            for_generator.step()

    found = watch(program)
    steps = found.steps
    assert found.training.optimizers == ("for_critic", "for_generator")
    assert [step.optimizer for step in steps] == [0, 1] * 4
    assert [[loss.name for loss in step.losses] for step in steps] == [
        ["critic_loss"],
        ["generator_loss"],
    ] * 4
    assert not any(step.reused or step.added or step.earlier for step in steps)
    assert max(step.live for step in steps) == 1  # the other loss, in its variable


def test_an_optimizer_inside_of_another_is_not_counted() -> None:
    class Sharp(torch.optim.Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, {"lr": 0.1})
            self.base = torch.optim.SGD(self.param_groups, lr=0.1)

        def step(self, closure=None):
            self.base.step()

    class Twice(torch.optim.SGD):
        def step(self, closure=None):
            super().step()
            return super().step()

    for make in (Sharp, Twice):
        model = net()
        optimizer = make(model.parameters())

        def program(model=model, optimizer=optimizer) -> None:
            for _ in range(3):
                optimizer.zero_grad()
                model(torch.randn(4, 6)).sum().backward()
                optimizer.step()

        assert len(watch(program).steps) == 3


def test_a_step_that_raises_does_not_hide_those_after_it() -> None:
    class Failing(torch.optim.SGD):
        fails = True

        def step(self, closure=None):
            if self.fails:
                raise ArithmeticError
            return super().step()

    model = net()
    optimizer = Failing(model.parameters(), lr=0.1)

    def program() -> None:
        for number in range(4):
            model(torch.randn(4, 6)).sum().backward()
            optimizer.fails = number == 1
            with contextlib.suppress(ArithmeticError):
                optimizer.step()
            optimizer.zero_grad()

    assert len(watch(program).steps) == 3


def scaled(model: nn.Module, optimizer: torch.optim.Optimizer, scale: float) -> list[float]:
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    losses = []
    for _ in range(6):
        loss = model(torch.randn(4, 6)).pow(2).sum()
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("fused", [False, True])
def test_losses_and_gradients_under_a_grad_scaler_are_those_without(*, fused: bool) -> None:
    found: dict[float, list[Step]] = {}
    for scale in (1.0, 1024.0):
        model = net()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=fused)
        losses: list[float] = []

        def program(arguments=(model, optimizer, scale), losses=losses) -> None:
            losses.extend(scaled(*arguments))

        found[scale] = list(watch(program).steps)
        assert [step.losses[0].name for step in found[scale]] == ["loss"] * 6
        assert [step.losses[0].value for step in found[scale]] == losses
    plain, much = ([s.moved.gradient for s in found[scale]] for scale in (1.0, 1024.0))
    assert much == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize("fused", [False, True])
def test_steps_that_a_grad_scaler_skips_are_counted_and_are_no_steps(*, fused: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=fused)
    found = watch(lambda: scaled(model, optimizer, 2.0**127))
    skipped = found.training.skipped
    assert skipped > 0
    assert len(found.steps) == 6 - skipped
    assert all(step.backwards == 1 for step in found.steps)


def test_groups_modules_and_parameters_add_up_to_the_whole() -> None:
    for by, names in {
        "group": {"optimizer[0]", "optimizer[1] head"},
        "module": {"model.0", "model.2"},
        "parameter": {f"model.{n}.{kind}" for n in (0, 2) for kind in ("weight", "bias")},
    }.items():
        model = net()
        optimizer = torch.optim.SGD(
            [
                {"params": model[0].parameters()},
                {"params": model[2].parameters(), "lr": 0.5, "name": "head"},
            ],
            lr=0.1,
        )

        def program(model=model, optimizer=optimizer) -> None:
            for _ in range(2):
                optimizer.zero_grad()
                model(torch.randn(4, 6)).pow(2).sum().backward()
                optimizer.step()

        training = watch(program, by=by).training
        assert {group.name for group in training.groups} == names
        assert sum(group.elements for group in training.groups) == 6 * 8 + 8 + 8 * 2 + 2
        for step in training.steps:
            whole = sum(moved.gradient**2 for moved in step.groups.values()) ** 0.5
            assert step.moved.gradient == pytest.approx(whole)
            assert step.moved.rate is None
            assert {moved.rate for moved in step.groups.values()} == {0.1, 0.5}


def test_what_became_of_each_parameter() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Linear(3, 3), nn.Linear(3, 3)
            self.zero, self.frozen = nn.Linear(3, 3), nn.Linear(3, 3).requires_grad_(False)
            self.outside = nn.Linear(3, 1)

    model = Model()
    inside = [p for name, p in model.named_parameters() if "outside" not in name]
    optimizer = torch.optim.SGD(inside, lr=0.1)

    def program() -> None:
        for _ in range(3):
            optimizer.zero_grad()
            hidden = model.frozen(model.used(torch.ones(2, 3))) + 0 * model.zero(torch.ones(2, 3))
            model.outside(hidden).sum().backward()
            optimizer.step()

    fates = {fate.name: fate for fate in watch(program).training.parameters}
    table = {
        name: (one.steps, one.reached, one.arrived, one.nonzero, one.moved, one.is_held)
        for name, one in fates.items()
    }
    assert table["model.used.weight"] == (3, 3, 3, 3, 3, True)
    assert table["model.spare.weight"] == (3, 0, 0, 0, 0, True)
    assert table["model.zero.weight"] == (3, 3, 3, 0, 0, True)
    assert table["model.frozen.weight"] == (3, 0, 0, 0, 0, True)
    assert table["model.outside.weight"] == (0, 3, 0, 0, 0, False)
    assert not fates["model.frozen.weight"].requires_grad
    assert all(fate.is_owned for fate in fates.values())


def test_values_before_and_after_are_those_of_the_module_or_variable_named() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    truth = []

    def program() -> None:
        scale = 3
        first = model[0]
        truth.append(first.weight[0][0:4].tolist())
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(4, 6)).pow(2).sum().backward()
            optimizer.step()
        truth.append(first.weight[0][0:4].tolist())
        assert scale == 3

    shown = ("first.weight[0][0:4]", "weight[0][0:4]", "scale", "nothing.at[0]")
    by_path = watch(program, shown=shown).training.shown
    assert [list(by_path[0].before), list(by_path[0].after)] == truth
    assert by_path[1].before == by_path[0].before  # the first module that has such a parameter
    assert by_path[2].before == (3.0,)
    assert (by_path[3].before, by_path[3].after) == (None, None)


def test_the_program_is_stopped_after_the_steps_wanted_or_goes_on_unwatched() -> None:
    for keep_running in (False, True):
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        made = []

        def program(model=model, optimizer=optimizer, made=made) -> None:
            for _ in range(6):
                optimizer.zero_grad()
                model(torch.randn(4, 6)).sum().backward()
                optimizer.step()
                made.append(1)

        found = watch(program, steps=3, keep_running=keep_running)
        assert len(found.steps) == 3
        assert found.stopped is not keep_running
        assert len(made) == (6 if keep_running else 2)


def test_a_program_that_swallows_the_stop_is_told_of_once() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def program() -> None:
        for _ in range(5):
            with contextlib.suppress(Stop):
                optimizer.zero_grad()
                model(torch.randn(4, 6)).sum().backward()
                optimizer.step()

    found = watch(program, steps=2)
    assert len(found.steps) == 2
    assert len(found.told) == 1
    assert "--keep-running" in found.told[0]


def test_graphs_that_outlive_their_step_are_counted_and_named() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []

    def program() -> None:
        for _ in range(5):
            optimizer.zero_grad()
            loss = model(torch.randn(4, 6)).pow(2).sum()
            loss.backward()
            losses.append(loss)
            optimizer.step()

    training = watch(program).training
    assert [step.live for step in training.steps] == [0, 1, 2, 3, 4]
    assert [step.earlier for step in training.steps] == [0] * 5


def test_a_failed_backward_leaves_what_was_seen_of_its_graph() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    found = []

    def program() -> None:
        state = torch.zeros(())
        for _ in range(3):
            optimizer.zero_grad()
            state = state + model(torch.randn(4, 6)).pow(2).sum()
            try:
                state.backward()
            except RuntimeError:
                return
            optimizer.step()

    found = watch(program).training
    assert found.seen == 1
    assert "second time" in found.failed
    assert found.unfinished > 3


def test_gradients_with_a_graph_are_counted() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def program() -> None:
        model(torch.randn(4, 6)).pow(2).sum().backward(create_graph=True)
        optimizer.step()
        optimizer.zero_grad()

    torch.set_warn_always(True)  # it warns once in a process, which another test may have had
    try:
        with pytest.warns(UserWarning, match="create_graph"):
            [step] = watch(program).steps
    finally:
        torch.set_warn_always(False)
    assert step.attached == 4


def test_autograd_grad_and_inner_backwards_are_no_training() -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1)

    def program() -> None:
        (slope,) = torch.autograd.grad(weight.pow(3).sum(), weight, create_graph=True)
        loss = slope.pow(2).sum()
        loss.backward()
        optimizer.step()

    [step] = watch(program).steps
    assert (step.backwards, [loss.name for loss in step.losses]) == (1, ["loss"])


def test_a_root_that_is_no_number_is_named_and_has_no_value() -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1)

    def program() -> None:
        several = weight * 2
        several.backward(torch.ones(3))
        optimizer.step()

    [step] = watch(program).steps
    assert [(loss.name, loss.value) for loss in step.losses] == [("several", None)]


def test_modes_of_the_program_see_its_own_operations_only() -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counting(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.names: list[str] = []

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.names.append(str(func))
            return func(*args, **(kwargs or {}))

    seen = []
    for watched in (False, True):
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def program(model=model, optimizer=optimizer) -> None:
            with Counting() as mode:
                for _ in range(2):
                    optimizer.zero_grad()
                    model(torch.randn(4, 6)).sum().backward()
                    optimizer.step()
            seen.append(mode.names)

        watch(program) if watched else program()
    assert seen[0] == seen[1]


def test_steps_of_several_threads_are_all_written_down() -> None:
    def one() -> None:
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(20):
            optimizer.zero_grad()
            model(torch.randn(4, 6)).sum().backward()
            optimizer.step()

    def program() -> None:
        threads = [threading.Thread(target=one) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert watch(program).training.seen == 60


def test_optimizers_that_come_and_go_hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import gc
    import weakref

    gone = []

    def program() -> None:
        for _ in range(4):
            model = net()
            optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
            model(torch.randn(4, 6)).sum().backward()
            optimizer.step()
            gone.append(weakref.ref(model[0].weight))
            del model, optimizer
            gc.collect()
        another = net()
        last = torch.optim.Adam(another.parameters(), lr=0.1)
        another(torch.randn(4, 6)).sum().backward()
        last.step()
        gc.collect()
        assert sum(one() is not None for one in gone) == 0

    assert watch(program).training.seen == 5


def test_a_long_training_is_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd_inspect.training import ledger

    monkeypatch.setattr(ledger, "_KEPT", 8)
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.001)

    def program() -> None:
        for _ in range(100):
            optimizer.zero_grad()
            weight.sum().backward()
            optimizer.step()

    training = watch(program).training
    assert training.seen == 100
    assert training.stride == 8
    assert [step.number for step in training.steps] == list(range(1, 101, 8))


def test_what_was_looked_at_does_not_keep_the_programs_variables_alive() -> None:
    import sys
    import weakref

    from autograd_inspect.tracing.frames import scopes_at

    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    with scopes_at(sys._getframe()) as scopes:
        assert scopes[0].variables["thing"] is thing
    del thing
    assert gone() is None
    mine = locals()
    with scopes_at(sys._getframe()):
        pass
    assert mine["gone"] is gone  # what locals() gave stays


def test_steps_that_the_program_takes_without_an_optimizer_are_seen() -> None:
    model = net()
    truth = []

    def program() -> None:
        for _ in range(4):
            model.zero_grad()
            for _ in range(2):  # two backward calls add up, and move nothing
                loss = model(torch.randn(4, 6)).pow(2).sum()
                loss.backward()
            gradient = norm([p.grad for p in model.parameters()])
            weight = norm(list(model.parameters()))
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.sub_(parameter.grad, alpha=0.01)
            truth.append((gradient, weight))

    found = watch(program)
    assert found.training.optimizers == ("by hand",)
    assert len(found.steps) == 3  # the last is followed by no backward
    for step, (gradient, weight) in zip(found.steps, truth, strict=False):
        assert step.moved.gradient == pytest.approx(gradient, rel=1e-5)
        assert step.moved.weight == pytest.approx(weight, rel=1e-5)
        assert step.moved.update == pytest.approx(0.01 * gradient, rel=1e-3)
        assert (step.backwards, step.added, step.reused, step.live) == (2, 1, 0, 0)
    assert watch(program, steps=2).stopped


def test_gradients_left_uncleared_without_an_optimizer_are_noticed() -> None:
    weight = nn.Parameter(torch.ones(3))

    def program() -> None:
        for _ in range(4):
            weight.pow(2).sum().backward()
            weight.data -= 0.01 * weight.grad

    assert [step.reused for step in watch(program).steps] == [0, 1, 1]
