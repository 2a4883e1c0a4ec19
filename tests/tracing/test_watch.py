"""Which backward call is captured, from which frame, and what is measured of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from autograd_inspect.autograd._torch import patch_engine
from autograd_inspect.errors import AgiError, ExpressionError, UsageError
from autograd_inspect.model.capture import About, Backward, Capture
from autograd_inspect.model.gradients import Gradient, Reason
from autograd_inspect.run.stop import Stop
from autograd_inspect.tracing.expression import Expression
from autograd_inspect.tracing.moment import Scene
from autograd_inspect.tracing.watch import Watch, Wish


@contextmanager
def watching(expression: str = "", **wish: object) -> Iterator[tuple[Watch, list[Capture]]]:
    taken: list[Capture] = []
    wanted = Wish(Expression(expression) if expression else None, **wish)  # type: ignore[arg-type]
    watch = Watch(wanted, Scene(Path.cwd()), About(target="test"), taken.append)
    undo = patch_engine(watch.in_front_of)
    try:
        yield watch, taken
    except Stop:
        pass
    finally:
        undo()
    if watch.trouble is not None:
        raise watch.trouble


def captured(program: Callable[[], object], expression: str = "", **wish: object) -> Capture:
    with watching(expression, **wish) as (_, taken):
        program()
    assert len(taken) == 1
    return taken[0]


def row(capture: Capture, name: str) -> Gradient:
    return next(gradient for gradient in capture.gradients if gradient.name == name)


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def train(steps: int = 3) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        loss = model(torch.ones(2, 3)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def test_the_first_backward_is_captured_and_the_program_stops_there() -> None:
    went_on = []

    def program() -> None:
        train()
        went_on.append(True)

    capture = captured(program)
    assert not went_on
    assert [root.name for root in capture.graph.roots] == ["loss"]
    assert (capture.about.call, capture.about.number) == ("backward", 1)
    assert capture.about.place is not None
    assert capture.about.place.function == "train"
    assert (
        "loss.backward()" in Path(__file__).read_text().splitlines()[capture.about.place.line - 1]
    )


def test_a_name_local_to_a_function_is_found_where_backward_is_called() -> None:
    capture = captured(train, "loss")
    assert capture.graph.roots[0].name == "loss"
    assert sorted(one.name for one in capture.graph.leaves) == ["model.bias", "model.weight"]


def test_step_n_is_the_nth_match() -> None:
    capture = captured(train, "loss", step=3)
    assert capture.about.number == 3


def test_figures_are_those_of_grad() -> None:
    models = []

    def program() -> None:
        models.append(train(1))

    capture = captured(program, keep_running=True)
    for name, parameter in models[0].named_parameters():
        found = row(capture, f"model.{name}")
        assert parameter.grad is not None
        assert found.norm == parameter.grad.double().norm().item()
        assert found.max == parameter.grad.max().item()


def test_keep_running_changes_nothing() -> None:
    plain = train()
    with watching(keep_running=True) as (_, taken):
        watched = train()
    assert len(taken) == 1
    for one, other in zip(plain.parameters(), watched.parameters(), strict=True):
        assert torch.equal(one, other)


def test_three_losses_of_one_step_by_name() -> None:
    def gan() -> None:
        generator, critic = nn.Linear(2, 2), nn.Linear(2, 1)
        for _ in range(2):
            real_loss = critic(torch.ones(3, 2)).mean()
            real_loss.backward()
            fake = generator(torch.ones(3, 2))
            fake_loss = critic(fake.detach()).mean()
            fake_loss.backward()
            generator_loss = -critic(fake).mean()
            generator_loss.backward()

    reached = {
        name: {one.name.partition(".")[0] for one in captured(gan, name).graph.leaves}
        for name in ("real_loss", "fake_loss", "generator_loss")
    }
    assert reached == {
        "real_loss": {"critic"},
        "fake_loss": {"critic"},
        "generator_loss": {"critic", "generator"},
    }
    numbers = [captured(gan, n).about.number for n in ("real_loss", "fake_loss", "generator_loss")]
    assert numbers == [1, 2, 3]


def test_a_tensor_that_the_root_was_computed_from_is_captured_too() -> None:
    def program() -> None:
        x = leaf(1.0, 2.0)
        loss = x.pow(2).sum()
        (loss / 4).backward()

    capture = captured(program, "loss")
    assert [node.op for node in capture.graph.nodes] == [
        "SumBackward0",
        "PowBackward0",
        "AccumulateGrad",
    ]
    assert row(capture, "x").max == 1.0
    assert "computed from loss" in capture.about.notes[0]


def test_a_computed_expression_is_evaluated_in_the_frame_that_has_its_names() -> None:
    def program() -> None:
        x = leaf(1.0, 2.0)
        hidden = x * 3
        hidden.sum().backward()

    capture = captured(program, "(hidden * 2).sum()")
    assert capture.about.backward is Backward.OURS
    assert row(capture, "x").max == 6.0


def test_backward_from_a_vector_with_its_gradient() -> None:
    def program() -> None:
        x = leaf(1.0, 2.0, 3.0)
        y = x * 2
        y.backward(gradient=torch.tensor([0.1, 1.0, 0.0001]))

    capture = captured(program)
    assert row(capture, "x").max == 2.0
    assert str(capture.graph.roots[0].spec) == "[3]"


def test_autograd_grad_hands_its_gradients_back() -> None:
    def program() -> None:
        x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
        torch.autograd.grad((x * y).sum(), x)

    capture = captured(program)
    assert capture.about.call == "autograd.grad"
    assert row(capture, "x").max == 4.0
    assert row(capture, "y").reason is Reason.NOT_AMONG_INPUTS


def test_backward_for_some_inputs_only() -> None:
    def program() -> None:
        x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
        (x * y).sum().backward(inputs=[y])

    capture = captured(program)
    assert row(capture, "y").max == 2.0
    assert row(capture, "x").reason is Reason.NOT_AMONG_INPUTS
    assert not row(capture, "x").present


def test_backwards_inside_a_backward_are_not_the_programs() -> None:
    def program() -> None:
        x = leaf(1.0)
        for _ in range(2):
            checkpoint(torch.sin, x, use_reentrant=True).sum().backward()

    capture = captured(program, step=2)
    assert capture.about.number == 2


def test_reasons_for_having_no_gradient() -> None:
    class Silent(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return None

    def program() -> None:
        model = nn.ModuleDict(
            {"used": nn.Linear(1, 1), "unused": nn.Linear(1, 1), "frozen": nn.Linear(1, 1)}
        )
        model["frozen"].requires_grad_(False)
        mute, scale = leaf(1.0), leaf(2.0)
        scaled = scale * 1
        x = model["frozen"](model["used"](torch.ones(1, 1)))
        loss = (x * Silent.apply(mute) * scaled).sum()
        loss.backward()

    capture = captured(program)
    reasons = {gradient.name: gradient.reason for gradient in capture.gradients}
    assert reasons == {
        "model.used.weight": Reason.ARRIVED,
        "model.used.bias": Reason.ARRIVED,
        "scale": Reason.ARRIVED,
        "mute": Reason.NOTHING_FLOWED,
        "model.unused.weight": Reason.NOT_REACHED,
        "model.unused.bias": Reason.NOT_REACHED,
        "model.frozen.weight": Reason.REQUIRES_NO_GRAD,
        "model.frozen.bias": Reason.REQUIRES_NO_GRAD,
        "scaled": Reason.NOT_A_LEAF,
        "x": Reason.NOT_A_LEAF,
    }


def test_a_gradient_that_was_there_before_is_marked() -> None:
    def program() -> None:
        x, y = leaf(1.0), leaf(1.0)
        x.grad, y.grad = torch.ones(1), torch.zeros(1)
        (x * y).sum().backward()

    capture = captured(program)
    assert row(capture, "x").before
    assert row(capture, "x").max == 2.0
    assert not row(capture, "y").before


def test_the_gradient_of_an_intermediate_tensor_on_request() -> None:
    kept = []

    def program() -> None:
        x = leaf(1.0, 2.0)
        hidden = x * 3
        kept.append(hidden)
        hidden.pow(2).sum().backward()

    capture = captured(program, retain=("hidden",), keep_running=True)
    assert row(capture, "hidden").max == 12.0
    assert not kept[0].retains_grad
    assert not kept[0]._backward_hooks


@pytest.mark.parametrize(
    ("name", "error"), [("nothing", ExpressionError), ("constant", UsageError)]
)
def test_a_wrong_name_to_retain_stops_the_program(name: str, error: type[AgiError]) -> None:
    def program() -> None:
        constant = torch.ones(1)
        (leaf(1.0) * constant).sum().backward()

    with pytest.raises(error, match=name):
        captured(program, retain=(name,))


def test_a_backward_that_raises_is_captured_and_its_error_is_the_programs() -> None:
    def program() -> None:
        x = leaf(1.0)
        y = x.exp()
        y.add_(1)
        y.sum().backward()

    with watching() as (_, taken), pytest.raises(RuntimeError, match="inplace"):
        program()
    assert taken[0].about.backward is Backward.FAILED
    assert "inplace operation" in taken[0].about.error
    assert row(taken[0], "x").reason is Reason.BACKWARD_FAILED


def test_a_program_that_swallows_the_stop_is_known() -> None:
    def program() -> None:
        for _ in range(2):
            try:  # noqa: SIM105 - what is tested is what users write
                leaf(1.0).sin().sum().backward()
            except:  # noqa: E722, PERF203 - as above
                pass

    said: list[str] = []
    with watching() as (watch, taken):
        watch.tell = said.append
        program()
    assert len(taken) == 1
    assert watch.swallowed
    assert [line.partition(";")[0] for line in said] == [
        "the program caught the stop after the capture and runs on"
    ]


def test_a_backward_in_another_thread_is_captured_without_stopping_it() -> None:
    ended = []

    def work() -> None:
        leaf(1.0).sin().sum().backward()
        ended.append(True)

    with watching() as (_, taken):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(taken) == 1
    assert ended


def test_losses_in_containers() -> None:
    @dataclass
    class Output:
        loss: torch.Tensor
        extra: list[torch.Tensor]

    def program() -> None:
        x = leaf(1.0, 2.0)
        output = Output(x.sum(), [x.prod(), x.exp().sum()])
        output.loss.backward()

    capture = captured(program, "output.loss")
    assert len(capture.graph) == 2
    capture = captured(program, "output")
    names = [root.name for root in capture.graph.roots]
    assert names == ["output.loss", "output.extra[0]", "output.extra[1]"]


def test_after_a_signal_the_next_backward_is_captured_each_time() -> None:
    with watching(on_signal=True, keep_running=True) as (watch, taken):
        for step in range(4):
            if step in {1, 3}:
                watch.armed = True
            leaf(1.0).sin().sum().backward()
    assert [capture.about.number for capture in taken] == [2, 4]


def test_an_optimizer_that_calls_backward_itself() -> None:
    def program() -> None:
        x = leaf(3.0)
        optimizer = torch.optim.LBFGS([x], max_iter=3)

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = (x - 1).pow(2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    assert captured(program, "loss", step=2).about.number == 2


def test_a_root_held_by_an_attribute_or_item_and_one_held_by_nothing() -> None:
    class Holder:
        loss: torch.Tensor

    def attribute() -> None:
        holder = Holder()
        holder.loss = leaf(1.0).exp().sum()
        holder.loss.backward()

    def item() -> None:
        losses = {"g": leaf(1.0).exp().sum()}
        losses["g"].backward()

    def nothing() -> None:
        x = leaf(1.0, 2.0)
        (x * 2).mean().backward()

    names = [captured(program).graph.roots[0].name for program in (attribute, item, nothing)]
    assert names == ["holder.loss", "losses['g']", "(x * 2).mean()"]


def test_a_tuple_names_each_root_by_its_own_part() -> None:
    def program() -> None:
        x = leaf(1.0, 2.0)
        one, other = x.sum(), x.prod()
        (one + other).backward()

    capture = captured(program, "one, other")
    assert [root.name for root in capture.graph.roots] == ["one", "other"]


def test_a_name_unknown_at_the_first_backward_is_said_at_once() -> None:
    said: list[str] = []
    with watching("losss") as (watch, taken):
        watch.tell = said.append
        train()
    assert taken == []
    assert len(said) == 1
    assert said[0].startswith("no losss at the first backward call")
    assert "tensors with a graph there: loss" in said[0]


@pytest.mark.filterwarnings("ignore")
def test_the_compilers_own_backwards_are_not_the_programs() -> None:
    def program() -> None:
        model = torch.compile(nn.Linear(2, 1), backend="aot_eager")
        loss = model(torch.ones(3, 2)).sum()
        loss.backward()

    capture = captured(program)
    assert capture.about.number == 1
    assert [root.name for root in capture.graph.roots] == ["loss"]
    assert sorted(one.name for one in capture.graph.leaves) == ["model.bias", "model.weight"]


def test_objects_that_do_not_like_to_be_asked_are_left_in_peace() -> None:
    class Proxy:
        @property
        def __class__(self) -> type:
            raise RuntimeError("not bound")

        def __getattr__(self, name: str) -> object:
            raise RuntimeError("not bound")

    class Lazy(dict):
        pass

    def program() -> None:
        proxy, lazy = Proxy(), Lazy(weight=leaf(2.0))
        loss = lazy["weight"].exp().sum()
        loss.backward()
        assert proxy is not None

    capture = captured(program)
    assert [one.name for one in capture.graph.leaves] == ["lazy['weight']"]


def test_gradients_that_arrived_before_a_backward_failed_are_not_called_earlier() -> None:
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, gradient):
            raise ValueError("half way")

    def program() -> None:
        late = leaf(1.0)
        broken = Fails.apply(late)
        early = leaf(2.0)
        (broken + early).sum().backward()

    with watching() as (_, taken), pytest.raises(ValueError, match="half way"):
        program()
    rows = {row.name: row for row in taken[0].gradients}
    assert rows["late"].reason is Reason.BACKWARD_FAILED
    # AccumulateGrad comes before all else that is ready, so this one was there in time.
    assert (rows["early"].reason, rows["early"].max) == (Reason.ARRIVED, 1.0)
