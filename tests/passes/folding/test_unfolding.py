"""Scenes against a slow reading of the folds: each row in its place, each arrow counted."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from layers import make_layers
from programs import Loop, Op, captures, graph_from, often, run

from autograd_inspect.model.folds import FoldKind, Folds, Opening, Scene
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.passes.folding.unfolding import unfold

Item = tuple[str, int]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Open folds of a random program at random, and turn to other instances."""
    folds = fold(draw(captures()), views=draw(st.booleans()))
    count = len(folds.table.kind)
    mask = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    shown = {
        fold: draw(st.integers(0, times - 1))
        for fold, times in enumerate(folds.table.times.tolist())
        if times > 1 and draw(st.booleans())
    }
    opened = frozenset(fold for fold, figure in enumerate(mask) if figure)
    return unfold(folds, Opening(opened, shown))


def place(folds: Folds, opening: Opening, row: int) -> tuple[Item, list[tuple[int, int]]]:
    """Go from the outermost fold inwards: to the item that shows a row, and the turns it is in.

    Where an open repeat shows another instance than the row's own, go on with its like there.
    """
    turns: list[tuple[int, int]] = []
    level = 0
    while True:
        around = list(folds.around(int(folds.fold[row])))[::-1]
        if level == len(around):
            return ("row", row), turns
        fold = around[level]
        if fold not in opening.folds:
            return ("fold", fold), turns
        if folds.table.kind[fold] == FoldKind.REPEAT:
            turn, shown = folds.instance_at(fold, row), opening.shown.get(fold, 0)
            turns.append((fold, turn))
            row += folds.instance(fold, shown)[0] - folds.instance(fold, turn)[0]
        level += 1


def items(scene: Scene) -> list[Item]:
    pairs = zip(scene.row.tolist(), scene.fold.tolist(), strict=True)
    return [("row", row) if row >= 0 else ("fold", fold) for row, fold in pairs]


def first_row(scene: Scene, item: Item) -> int:
    return item[1] if item[0] == "row" else int(scene.folds.table.first[item[1]])


def check_every_row_is_in_one_item_or_stands_for_its_like(scene: Scene) -> None:
    folds, shown = scene.folds, items(scene)
    assert len(set(shown)) == len(shown) == len(scene)
    assert {place(folds, scene.opening, row)[0] for row in range(len(folds))} == set(shown)
    assert [first_row(scene, item) for item in shown] == sorted(
        first_row(scene, item) for item in shown
    )


def check_items_lie_in_the_innermost_open_fold(scene: Scene) -> None:
    folds, held = scene.folds, set()
    for item, inside in zip(items(scene), scene.inside.tolist(), strict=True):
        around = folds.fold[item[1]] if item[0] == "row" else folds.table.parent[item[1]]
        assert inside == around
        chain = list(folds.around(inside))
        assert scene.opening.folds.issuperset(chain)
        held.update(chain)
    assert scene.frames == tuple(sorted(held))


def check_arrows_are_all_uses_between_items(scene: Scene) -> None:
    folds, shown = scene.folds, items(scene)
    expected: Counter[tuple[Item, Item, bool]] = Counter()
    pairs = zip(folds.arrows.source.tolist(), folds.arrows.target.tolist(), strict=True)
    for source, target in pairs:
        (user, turns), (used, others) = (
            place(folds, scene.opening, row) for row in (source, target)
        )
        carried = any(turn != dict(others).get(repeat, turn) for repeat, turn in turns)
        if user != used or (carried and user[0] == "row"):
            expected[user, used, carried] += 1
    found = {
        (shown[source], shown[target], bool(carried)): int(count)
        for source, target, carried, count in zip(
            scene.source, scene.target, scene.carried, scene.count, strict=True
        )
    }
    assert len(found) == len(scene.source)
    assert found == expected


def check_only_what_is_carried_goes_against_the_order(scene: Scene) -> None:
    forward = scene.source > scene.target
    assert (forward | scene.carried).all()


def check_each_arrow_names_one_of_the_uses_it_stands_for(scene: Scene) -> None:
    folds, shown = scene.folds, items(scene)
    for source, target, arrow in zip(scene.source, scene.target, scene.arrow, strict=True):
        for item, row in (
            (source, folds.arrows.source[arrow]),
            (target, folds.arrows.target[arrow]),
        ):
            assert place(folds, scene.opening, int(row))[0] == shown[item]


@often
@given(scenes())
def test_scenes_show_everything_once(scene: Scene) -> None:
    check_every_row_is_in_one_item_or_stands_for_its_like(scene)
    check_items_lie_in_the_innermost_open_fold(scene)
    check_arrows_are_all_uses_between_items(scene)
    check_only_what_is_carried_goes_against_the_order(scene)
    check_each_arrow_names_one_of_the_uses_it_stands_for(scene)


def test_nothing_open_shows_what_is_outermost() -> None:
    scene = unfold(fold(make_layers(5)), Opening())
    assert [item[0] for item in items(scene)] == ["fold", "fold", "row"]
    assert np.array_equal(scene.count, [2, 1])


def test_a_loop_that_is_open_on_show_is_open_in_every_turn() -> None:
    turn = Op("tanh", ("x",), "x"), Op("mul", ("x", "shared"), "x")
    recorded = run([Loop(3, (Op("mm", ("x", "own"), "x"), Loop(6, turn)))])
    folds = fold(graph_from(recorded, [len(recorded.made) - 1]))
    outer, first, *others = np.flatnonzero(folds.table.kind == FoldKind.REPEAT).tolist()
    assert len(others) == 2
    scene = unfold(folds, Opening(frozenset({outer, first})))
    assert items(scene) == [("row", 0), ("row", 1), ("row", 2)]
    arrows = zip(scene.source.tolist(), scene.target.tolist(), scene.count.tolist(), strict=True)
    assert list(arrows) == [(0, 2, 2), (1, 0, 3), (1, 2, 15), (2, 1, 18)]
    assert scene.carried.tolist() == [True, False, True, False]
