"""What changed from one capture to another, for people: few lines that fit a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import set_cell_size

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.diff import (
    ADDED,
    CHANGED,
    REMOVED,
    Change,
    Contrast,
    Diff,
    Difference,
    Drift,
    Fact,
    Renamed,
    Summary,
)
from autograd_inspect.renderers.text import (
    Glyphs,
    Segment,
    counted,
    duration,
    figure,
    glyphs,
    paint,
    safe,
    size,
    width_of,
)

_STYLES = {ADDED: "green", REMOVED: "red", CHANGED: "yellow"}
_WORDS = {ADDED: "added", REMOVED: "removed", CHANGED: "changed"}
_NUMBER = re.compile(r"\d+")
#: Leaves with other gradients that are named, unless all are asked for; and renamed modules.
_FEW, _FEW_RENAMED = 6, 3


@dataclass(frozen=True, slots=True)
class Fit:
    """How much of a diff is printed: lines of changes and of gradients, None for all; how wide."""

    changes: int | None = None
    drifts: int | None = _FEW
    width: int | None = None


def render(
    diff: Diff,
    summary: Summary,
    fit: Fit = Fit(),
    *,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Write a diff for a terminal: what it comes to, then line by line, then the gradients."""
    signs, width = glyphs(ascii=ascii), fit.width
    if not diff:
        return f"{sameness(diff)}\n"
    lines = [*_head(diff, signs, width), *_renamed(diff.renamed, signs)]
    shown = summary.changes[: fit.changes]
    if shown:
        lines += [[], *_table([_cells(change, signs) for change in shown], width, signs)]
    if len(shown) < len(summary.changes):
        lines.append([(f"{len(summary.changes) - len(shown):,} more lines: --all", "dim")])
    lines += _gradients(diff, summary, fit, signs)
    return "".join(f"{paint(line, color=color)}\n" for line in lines)


def sameness(diff: Diff) -> str:
    """Say in one line that nothing differs."""
    totals = diff.totals
    nodes = counted(totals.nodes[1], "node")
    leaves = counted(totals.leaves[1], "leaf", "leaves")
    held = size(totals.held[1])
    return f"no difference in {', '.join(diff.compared)}: {nodes}, {leaves}, {held} held, in both"


def _head(diff: Diff, signs: Glyphs, width: int | None) -> Iterator[list[Segment]]:
    for word, capture in (("before", diff.before), ("after ", diff.after)):
        title = f"{word}  {safe(_title(capture), ascii=signs.rail.isascii())}"
        yield [(_cut(title, width, signs), "dim")]
    marks: list[Segment] = []
    for mark, word in _WORDS.items():
        count = diff.count(mark)
        marks.append((f"{mark} {count:,} {word}   ", _STYLES[mark] if count else "dim"))
    yield marks
    totals = diff.totals
    facts = [_from_to("nodes", totals.nodes, signs), _from_to("leaves", totals.leaves, signs)]
    before, after = totals.held
    change = after - before
    grown = f" ({'+' if change > 0 else '-'}{size(abs(change))})" if change else ""
    held = f"{size(before)} {signs.gives} {size(after)}" if change else size(after)
    facts.append(f"held {held}{grown}")
    if diff.rewired:
        facts.append(f"{counted(diff.rewired, 'edge')} lead elsewhere")
    yield [(f" {signs.dot} ".join(facts), "")]


def _title(capture: Capture) -> str:
    about = capture.about
    arguments = " ".join(about.arguments)
    call = f", {about.call} call {about.number}" if about.number else ""
    return f"{about.source}{f' {arguments}' if arguments else ''}{call}"


def _from_to(word: str, numbers: tuple[int, int], signs: Glyphs) -> str:
    before, after = numbers
    if before == after:
        return f"{word} {after:,}"
    return f"{word} {before:,} {signs.gives} {after:,}"


def _renamed(renamed: Sequence[Renamed], signs: Glyphs) -> Iterator[list[Segment]]:
    """Name the modules with new names; of many that differ in numbers only, the ends."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in renamed:
        names = [safe(m.full_name, ascii=signs.rail.isascii()) for m in (one.before, one.after)]
        classes = [safe(m.cls, ascii=signs.rail.isascii()) for m in (one.before, one.after)]
        key = (*(_NUMBER.sub("#", name) for name in names), *classes)
        text = names[0] if names[0] == names[1] else f" {signs.gives} ".join(names)
        groups.setdefault(key, []).append(text)
    for (_, _, was, now), texts in groups.items():
        cls = now if was == now else f"{was} {signs.gives} {now}"
        told = ", ".join(texts) if len(texts) <= _FEW_RENAMED else _ends(texts, signs)
        yield [("~ ", _STYLES[CHANGED]), (f"{told} ({cls})", "")]


def _ends(names: Sequence[str], signs: Glyphs) -> str:
    return f"{names[0]} {signs.ellipsis} {names[-1]}, {len(names):,} in all,"


def _names(change: Change, signs: Glyphs) -> str:
    """Name what a line is of: one module or leaf, or many as `blocks.{0...11}.mixed`."""
    names = list(dict.fromkeys((change.where, *change.also)))
    columns = list(zip(*(re.split(r"(\d+)", name) for name in names), strict=False))
    numbers = [sorted(set(parts), key=_by_number) for parts in columns]
    if len(names) > 1 and math.prod(map(len, numbers)) == len(names):
        return "".join(
            parts[0] if len(parts) == 1 else f"{{{parts[0]}{signs.ellipsis}{parts[-1]}}}"
            for parts in numbers
        )
    return names[0] if len(names) == 1 else f"{names[0]} {signs.ellipsis} {names[-1]}"


def _by_number(part: str) -> tuple[int, str]:
    return (int(part), part) if part.isdecimal() else (-1, part)


def _cells(change: Change, signs: Glyphs) -> list[Segment]:
    """Write the four cells of a line: mark and what, module, what changed, where else."""
    plain = signs.rail.isascii()
    mark = change.first.mark
    whole = change.nodes + change.leaves > 1
    what = "" if whole else _what(change.first, signs)
    where = safe(_where(change, signs), ascii=plain)
    if whole:
        what, where = where, ""
    elif change.first.node.leaf:
        what, where = safe(_names(change, signs) or "leaf", ascii=plain), ""
    facts = "  ".join(_facts(change, signs, whole=whole))
    return [
        (f"{mark} {what}", _STYLES[mark]),
        (where, ""),
        (facts, ""),
        (f"{signs.times}{change.times:,}" if change.times > 1 else "", "dim"),
    ]


def _where(change: Change, signs: Glyphs) -> str:
    if change.module is None:
        return ""
    names, cls = _names(change, signs), change.module.cls
    return names if cls == change.where else f"{names} ({cls})"


def _what(one: Difference, signs: Glyphs) -> str:
    node = one.node
    plain = signs.rail.isascii()
    if node.leaf:
        return safe(node.leaf.name or "leaf", ascii=plain)
    title = safe(node.title, ascii=plain)
    if one.before and one.after and one.before.title != node.title:
        title = f"{safe(one.before.title, ascii=plain)} {signs.gives} {title}"
    return title


def _facts(change: Change, signs: Glyphs, *, whole: bool) -> Iterator[str]:
    if whole:
        nodes = counted(change.nodes, "node")
        leaves = f", {counted(change.leaves, 'leaf', 'leaves')}" if change.leaves else ""
        yield nodes + leaves
    elif change.first.mark != CHANGED:
        yield ", ".join(str(spec) if spec else "?" for spec in change.first.node.outputs)
    if change.held:
        yield f"saves {size(change.held)}"
    if change.reason:
        yield change.reason
    for contrast in change.contrasts:
        if contrast.fact is not Fact.OP or not _says_op(change):
            yield _contrast(contrast, signs)


def _says_op(change: Change) -> bool:
    """Tell whether the names of the operations are in the line already."""
    before = change.first.before
    return before is not None and before.title != change.first.node.title


def _contrast(contrast: Contrast, signs: Glyphs) -> str:
    plain = signs.rail.isascii()
    texts = [_value(contrast.fact, value, signs) for value in (contrast.before, contrast.after)]
    before, after = (safe(text, ascii=plain) for text in texts)
    return f"{contrast.fact.label} {before} {signs.gives} {after}"


def _value(fact: Fact, value: str | float, signs: Glyphs) -> str:
    if isinstance(value, str):
        return value or "none"
    if fact is Fact.SAVED:
        return size(int(value))
    if fact is Fact.TIME:
        return duration(int(value), ascii=signs.rail.isascii())
    return figure(value)


def _gradients(diff: Diff, summary: Summary, fit: Fit, signs: Glyphs) -> Iterator[list[Segment]]:
    """Say whose gradients differ, those that differ most first."""
    leaves, nodes = summary.drifted
    if not summary.drifts:
        return
    parts = [counted(leaves, "leaf", "leaves")] * bool(leaves) + [counted(nodes, "node")] * bool(
        nodes
    )
    yield []
    more = f" by more than {100 * diff.tolerance:.3g}%" if diff.tolerance else ""
    yield [(f"gradients of {' and '.join(parts)} differ{more}", "bold")]
    shown = summary.drifts[: fit.drifts]
    yield from _table([_drift_cells(drift, signs) for drift in shown], fit.width, signs)
    if len(shown) < len(summary.drifts):
        yield [(f"{len(summary.drifts) - len(shown):,} more, which differ less: --all", "dim")]


def _drift_cells(drift: Drift, signs: Glyphs) -> list[Segment]:
    node = drift.difference.node
    where = "" if node.leaf or not node.call else safe(node.graph.module_name(node.call.module))
    factor = "" if drift.factor == float("inf") else f"{signs.times}{figure(drift.factor, 3)}"
    values = drift.contrast.before, drift.contrast.after
    sign = signs.gradient + " " * (len(signs.gradient) > 1)
    sign = "" if isinstance(values[0], str) else sign
    before, after = (safe(_value(Fact.GRAD, value, signs)) for value in values)
    return [
        (f"~ {_what(drift.difference, signs)}", _STYLES[CHANGED]),
        (where, ""),
        (f"{sign}{before} {signs.gives} {after}", ""),
        (factor, "dim"),
    ]


def _table(
    rows: Sequence[list[Segment]], width: int | None, signs: Glyphs
) -> Iterator[list[Segment]]:
    """Align cells; where there is no room the widest columns are cut, the last one first."""
    sizes = [max(width_of([row[column]]) for row in rows) for column in range(len(rows[0]))]
    if width is not None:
        for column, least in ((3, 12), (0, width // 3), (1, width // 4), (2, 20), (3, 0)):
            over = sum(sizes) + 2 * sum(map(bool, sizes[1:])) - width
            if over > 0:
                sizes[column] = max(sizes[column] - over, min(least, sizes[column]))
    for row in rows:
        line: list[Segment] = []
        for (text, style), room in zip(row, sizes, strict=True):
            if room:
                cell = _cut(text, room, signs)
                line += [(cell, style), (" " * (room - width_of([(cell, "")]) + 2), "")]
        yield line


def _cut(text: str, room: int | None, signs: Glyphs) -> str:
    if room is None or width_of([(text, "")]) <= room:
        return text
    return set_cell_size(text, max(room - len(signs.ellipsis), 0)).rstrip() + signs.ellipsis
