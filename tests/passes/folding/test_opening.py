"""Which folds are open: what fits, how deep, and by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layers import make_layers

from autograd_inspect.errors import UsageError
from autograd_inspect.model.folds import FoldKind, Folds, Opening, Scene
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.passes.folding.opening import choose, open_all, open_paths, open_to_depth
from autograd_inspect.passes.folding.unfolding import unfold


def titles(scene: Scene) -> list[str]:
    """Read a scene in forward order: folds by their title, rows by their operation."""
    folds = scene.folds
    return [
        folds.titles[closed] if closed >= 0 else folds.graph.node(int(folds.node[row])).title
        for closed, row in zip(scene.fold.tolist(), scene.row.tolist(), strict=True)
    ]


def opened(folds: Folds, opening: Opening) -> list[str]:
    return titles(unfold(folds, opening))


def test_everything_is_open_where_everything_fits() -> None:
    folds = fold(make_layers(3))
    scene = unfold(folds, choose(folds, lambda _: True))
    assert titles(scene) == ["table (Embedding)", "mm", "gelu", "mul", "add", "loss"]


def test_all_is_closed_where_nothing_more_fits() -> None:
    folds = fold(make_layers(3))
    assert choose(folds, lambda _: False) == Opening()
    assert opened(folds, Opening()) == ["table (Embedding)", "h.0 … h.2 (Layer) ×3", "loss"]


@given(st.integers(2, 12), st.integers(3, 8))
def test_what_is_chosen_fits_or_all_is_closed(layers: int, room: int) -> None:
    folds = fold(make_layers(layers))
    opening = choose(folds, lambda scene: len(scene) <= room)
    assert opening == Opening() or len(unfold(folds, opening)) <= room


def test_a_loop_of_modules_opens_together_with_the_one_on_show() -> None:
    folds = fold(make_layers(4))
    opening = choose(folds, lambda scene: len(scene) <= 4)
    assert opened(folds, opening) == ["table (Embedding)", "mlp (Mlp)", "add", "loss"]


def test_modules_that_look_alike_are_open_together_or_not_at_all() -> None:
    folds = fold(make_layers(2))  # two are no repeat: there are two folds of one kind
    mlps = [i for i, title in enumerate(folds.titles) if title == "mlp (Mlp)"]
    assert len(mlps) == 2
    for room in range(3, 12):
        chosen = choose(folds, lambda scene, room=room: len(scene) <= room)
        assert len(chosen.folds.intersection(mlps)) in {0, 2}


def test_depth_counts_modules() -> None:
    folds = fold(make_layers(3))
    assert opened(folds, open_to_depth(folds, 0)) == ["table (Embedding)", "h.0 (Layer)", "loss"]
    one = opened(folds, open_to_depth(folds, 1))
    assert one == ["table (Embedding)", "mlp (Mlp)", "add", "loss"]
    assert opened(folds, open_to_depth(folds, 2)) == opened(folds, open_all(folds))


def test_a_path_opens_what_lies_around_it_and_shows_its_turn_of_a_loop() -> None:
    folds = fold(make_layers(5))
    opening = open_paths(folds, Opening(), ["h.3.mlp"])
    scene = unfold(folds, opening)
    assert titles(scene) == ["table (Embedding)", "mm", "gelu", "mul", "add", "loss"]
    used = folds.uses.leaf[np.isin(folds.uses.source, scene.row[scene.row >= 0])]
    names = {folds.graph.leaf_at[leaf].name for leaf in used.tolist()}
    assert "net.h.3.mlp.weight" in names


def test_the_full_name_of_a_module_will_do() -> None:
    folds = fold(make_layers(3))
    assert open_paths(folds, Opening(), ["model.h.1"]) == open_paths(folds, Opening(), ["h.1"])


def test_a_path_that_there_is_not_is_said_so() -> None:
    folds = fold(make_layers(3))
    with pytest.raises(UsageError, match="no module of this graph") as raised:
        open_paths(folds, Opening(), ["h.7"])
    assert "model.h.0" in str(raised.value.hint)


def test_another_turn_of_a_loop_can_be_on_show() -> None:
    folds = fold(make_layers(6))
    repeat = int(np.flatnonzero(folds.table.kind == FoldKind.REPEAT)[0])
    everything = open_all(folds).folds
    shown = [
        unfold(folds, Opening(everything, {repeat: number})).row.tolist() for number in range(6)
    ]
    assert len({tuple(rows) for rows in shown}) == 6
    # Whichever is shown, the same arrows lead between what is to be seen.
    arrows = [unfold(folds, Opening(everything, {repeat: number})) for number in range(6)]
    assert len({(a.source.tobytes(), a.target.tobytes(), a.count.tobytes()) for a in arrows}) == 1
