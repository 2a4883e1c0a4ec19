"""Reading rails as people do: from the characters of the drawing back to the edges."""

from __future__ import annotations

from collections.abc import Sequence

SIGNS = set("◉●○◎@*o0")


def edges_drawn(lines: Sequence[str], items: Sequence[int]) -> set[tuple[int, int]]:
    """Follow the rails of lines, cut off where the labels begin; gives (user, what it uses).

    `items` has the item of each line, -1 where it has none. Raises AssertionError where a rail
    begins or ends in nothing.
    """
    found: set[tuple[int, int]] = set()
    users: dict[int, set[int]] = {}
    for number, (line, item) in enumerate(zip(lines, items, strict=True)):
        cells, gaps = line[0::2], line[1::2]
        below = lines[number + 1][0::2] if number + 1 < len(lines) else ""
        goes_on = {at for at, sign in enumerate(below) if sign not in " ─-"}
        if item < 0:
            drawn = {at for at, sign in enumerate(cells) if sign != " "}
            assert drawn == set(users), f"line {number}: {line!r}"
            continue
        (at,) = (at for at, sign in enumerate(cells) if sign in SIGNS)
        leads = _touched(cells, gaps, at)
        alive = {cell for cell, sign in enumerate(cells) if sign not in " ─-"} - {at} - leads
        assert alive == set(users) - {at} - leads, f"line {number}: {line!r}"
        arriving = {at} & set(users) | {cell for cell in leads & set(users) if cell not in goes_on}
        found |= {(user, item) for cell in arriving for user in users.pop(cell)}
        if at in goes_on:
            users[at] = {item}
        for cell in leads - arriving:
            assert cell in goes_on, f"line {number}: {line!r}"
            users.setdefault(cell, set()).add(item)
    assert not users
    return found


def _touched(cells: str, gaps: str, at: int) -> set[int]:
    """Go from an item along its line, both ways; what runs behind a rail does not touch it."""
    touched = set()
    for step in (1, -1):
        cell = at
        while 0 <= cell + min(step, 0) < len(gaps) and gaps[cell + min(step, 0)] in "─-":
            cell += step
            if cells[cell] not in "│|─-":
                touched.add(cell)
    return touched
