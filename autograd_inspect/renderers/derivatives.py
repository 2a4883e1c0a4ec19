"""Derivatives as blocks: matrices that people read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from autograd_inspect.model.derivatives import Block, Derivatives, Mode, Values, Variable
from autograd_inspect.renderers.text import (
    Glyphs,
    Segment,
    figure,
    glyphs,
    paint,
    safe,
    width_of,
)

#: Rows printed in full, and rows and columns at each end of what has more.
_ROWS, _ENDS = 16, 3
#: Size in characters of the picture of a large block.
_HEIGHT, _BREADTH = 12, 48


def render(
    derivatives: Derivatives,
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay the blocks out for a terminal, what was checked below them."""
    signs = glyphs(ascii=ascii)
    room = width or 10_000
    lines: list[list[Segment]] = []
    if not derivatives.mode.is_matrix:
        for output in derivatives.outputs:
            lines += [*_of_variable(output, signs, room), []]
    whole = _whole(derivatives, signs, room)
    for block in derivatives.blocks:
        lines.append(_heading(derivatives, block, signs))
        if not whole:
            lines += [*_body(block, signs, room), []]
    if whole:
        lines += [[], *whole, []]
    lines += [[(verdict, style)] for verdict, style in _verdicts(derivatives)]
    return "".join(f"{paint(line, color=color)}\n" for line in lines)


def remarks(derivatives: Derivatives, *, verdicts: bool = False) -> Iterator[str]:
    """Say what the figures alone would not tell; with `verdicts`, what was checked as well."""
    if verdicts:
        yield from (text for text, _ in _verdicts(derivatives))
    name = safe(derivatives.function)
    if derivatives.draws:
        yield f"{name} draws random numbers: the same ones whenever it is called here"
    if derivatives.left_out:
        names = ", ".join(map(safe, derivatives.left_out))
        yield f"left out, as integers have no derivative: {names}"


def label(derivatives: Derivatives, block: Block) -> str:
    """Name a block as in a formula: `d exp_adder / d x`."""
    f = derivatives.function
    match derivatives.mode:
        case Mode.JACOBIAN:
            return f"d {block.row} / d {block.column}"
        case Mode.HESSIAN:
            return f"d2 {f} / d {block.row} d {block.column}"
        case Mode.VJP:
            return f"v . d {f} / d {block.row}"
        case Mode.JVP:
            return f"d {block.row} . v"
        case Mode.VHP:
            return f"v . H, by {block.row}"
    return f"H . v, by {block.row}"


def _heading(derivatives: Derivatives, block: Block, signs: Glyphs) -> list[Segment]:
    plain = signs.rail.isascii()
    text = safe(label(derivatives, block), ascii=plain)
    if not plain:
        text = text.replace(" . ", f" {signs.dot} ").replace("d2 ", "d² ", 1)
    facts = [_pattern(block, signs)]
    facts += [f"{block.nan:,} NaN"] if block.nan else []
    facts += [f"{block.inf:,} Inf"] if block.inf else []
    odd = block.unreached or block.nan or block.inf
    shape = f" {signs.times} ".join(map(_shape, _sides(block)))
    line = [(text, "bold"), (f"  {shape}", "cyan")]
    if said := "  ".join(filter(None, facts)):
        line.append((f"  {said}", "yellow" if odd else "green"))
    return line


def _sides(block: Block) -> list[tuple[int, ...]]:
    return [block.rows, block.columns] if block.column else [block.rows]


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _pattern(block: Block, signs: Glyphs) -> str:
    if block.unreached:
        return f"zero: no path from {safe(block.row)} to {safe(block.column)}"
    if block.pattern == "scaled identity":
        factor = figure(block.matrix[0, 0].item())
        return "identity" if factor == "1" else f"{factor} {signs.times} identity"
    return block.pattern


def _body(block: Block, signs: Glyphs, room: int) -> list[list[Segment]]:
    """Print a block in full where it fits, else its figures, its corners and a picture of it."""
    if not block.values.size or block.unreached or block.pattern == "zero":
        return []
    matrix = block.matrix if block.column else _in_rows(block.values)
    labels = _labels(block) if block.column else None
    if len(matrix) <= _ROWS and matrix.shape[1] <= room // 2:
        full = _grid(matrix, labels, signs)
        if max(map(width_of, full)) <= room:
            return full
    lines = [[(_figures(block), "")]]
    corners = _corners(matrix, signs)
    lines += [corner for corner in corners if width_of(corner) <= room]
    if block.column:
        lines += [[], *_raster(matrix, signs, min(_BREADTH, room))]
    return lines


def _of_variable(variable: Variable, signs: Glyphs, room: int) -> list[list[Segment]]:
    values = variable.values if variable.values is not None else np.zeros(0)
    block = Block(variable.name, "", variable.shape, (), variable.dtype, values)
    name = safe(variable.name, ascii=signs.rail.isascii())
    heading = [(name, "bold"), (f"  {_shape(variable.shape)}", "cyan")]
    return [heading, *(_grid(_in_rows(values), None, signs) if block.pattern == "zero" else [])] + (
        [] if block.pattern in {"zero", "empty"} else _body(block, signs, room)
    )


def _in_rows(values: Values) -> Values:
    """Give values as a matrix: a vector lies down, what has more dimensions is put in rows."""
    return values.reshape(-1, values.shape[-1] if values.ndim and values.shape[-1] else 1)


def _whole(derivatives: Derivatives, signs: Glyphs, room: int) -> list[list[Segment]]:
    """Print a small Hessian of several inputs as one matrix with named rows and columns."""
    inputs = derivatives.inputs
    size = sum(one.size for one in inputs)
    if derivatives.mode is not Mode.HESSIAN or len(inputs) < 2 or not 0 < size <= _ROWS:
        return []
    width = len(inputs)
    rows = [derivatives.blocks[n : n + width] for n in range(0, width * width, width)]
    matrix = np.block([[block.matrix for block in row] for row in rows])
    names = [f"{safe(one.name)}{at}" for one in inputs for at in _indices(one.shape)]
    lines = _grid(matrix, (names, names), signs)
    return lines if max(map(width_of, lines)) <= room else []


def _labels(block: Block) -> tuple[list[str], list[str]] | None:
    """Give the index of each row and column where that is more than a number."""
    if max(len(block.rows), len(block.columns)) < 2:
        return None
    return _indices(block.rows), _indices(block.columns)


def _indices(shape: tuple[int, ...]) -> list[str]:
    return [f"[{','.join(map(str, at))}]" if at else "" for at in np.ndindex(shape)]


def _grid(
    matrix: Values, labels: tuple[list[str], list[str]] | None, signs: Glyphs
) -> list[list[Segment]]:
    """Align the values of a matrix, with the names of rows and columns where it has such."""
    rows = [[_value(number, signs) for number in row] for row in matrix.tolist()]
    if labels is None:
        return _aligned(rows)
    named = [[name, *row] for name, row in zip(labels[0], rows, strict=True)]
    return _aligned([["", *labels[1]], *named], heading=True)


def _value(number: complex, signs: Glyphs) -> str:
    return (signs.dot if not signs.rail.isascii() else "0") if number == 0 else figure(number)


def _aligned(rows: list[list[str]], *, heading: bool = False) -> list[list[Segment]]:
    sizes = [max(width_of([(cell, "")]) for cell in column) for column in zip(*rows, strict=True)]
    lines: list[list[Segment]] = []
    for at, row in enumerate(rows):
        cells = [" " * (size - width_of([(c, "")])) + c for c, size in zip(row, sizes, strict=True)]
        named = heading and at > 0
        style = "dim" if heading and not at else ""
        first = (f"  {cells[0]}", "dim" if named else style)
        lines.append([first, *((f"  {cell}", style) for cell in cells[1:])])
    return lines


def _figures(block: Block) -> str:
    facts = [f"norm {figure(block.norm)}"]
    if block.finite.size and not np.iscomplexobj(block.values):
        facts.append(f"from {figure(block.least)} to {figure(block.most)}")
    facts.append(f"{block.zeros / block.values.size:.1%} zeros")
    return "  " + ", ".join(facts)


def _corners(matrix: Values, signs: Glyphs) -> list[list[Segment]]:
    """Print the first and last rows and columns, what is between as an ellipsis."""
    down, across = _ends(len(matrix)), _ends(matrix.shape[1])
    gap = signs.ellipsis
    cells = [
        [gap if None in {i, j} else _value(matrix[i, j].item(), signs) for j in across]
        for i in down
    ]
    return _aligned(cells)


def _ends(size: int) -> list[int | None]:
    if size <= 2 * _ENDS + 1:
        return list(range(size))
    return [*range(_ENDS), None, *range(size - _ENDS, size)]


def _raster(matrix: Values, signs: Glyphs, breadth: int) -> list[list[Segment]]:
    """Draw the sizes of the values: a blank for zeros, a step of the bar for each decade."""
    sizes = np.nan_to_num(np.abs(matrix).astype(np.float64), nan=0.0, posinf=0.0)
    largest = sizes.max(initial=0.0)
    if not largest:
        return []
    rows, columns = (
        _steps(size, most) for size, most in zip(sizes.shape, (_HEIGHT, breadth), strict=True)
    )
    cells = np.maximum.reduceat(np.maximum.reduceat(sizes, rows, axis=0), columns, axis=1)
    with np.errstate(divide="ignore"):
        decades = np.floor(np.log10(cells / largest))
    top = len(signs.bars) - 1
    levels = np.where(cells > 0, np.clip(top + decades, 1, top), 0).astype(int)
    drawn = ["".join(signs.bars[level] for level in row) for row in levels]
    ends = f"{signs.bars[-1]} up to {figure(float(largest))}, a step for each tenth, blank for zero"
    return [*([("  ", ""), (f"|{line}|", "cyan")] for line in drawn), [(f"  {ends}", "dim")]]


def _steps(size: int, most: int) -> Values:
    """Cut so many rows or columns into at most `most` parts; gives where each begins."""
    return np.unique(np.linspace(0, size, min(size, most), endpoint=False).astype(int))


def _verdicts(derivatives: Derivatives) -> Iterator[Segment]:
    check = derivatives.check
    if check.skipped:
        yield f"not checked: {check.skipped}", "dim"
    elif check.against and check.agrees:
        how = f"to {figure(check.difference, 2)}" if check.difference else "exactly"
        yield f"checked: {check.against} agrees {how}", "green"
    elif check.against:
        at = f" ({safe(check.place)})" if check.place else ""
        off = figure(check.difference, 2)
        yield f"{check.against} disagrees by {off}{at}", "bold red"
