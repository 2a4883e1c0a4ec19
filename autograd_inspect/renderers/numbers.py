"""The numbers of derivatives: a line for each, JSON, or arrays in a file.

    {"schema": "agi.functional/1",
     "mode", "function", "strategy", "vectorize", "draws", "left_out",
     "inputs": [{"name", "shape", "dtype"}],
     "outputs": [{"name", "shape", "dtype", "values"}],
     "check": {"against", "agrees", "difference", "place", "skipped"},
     "rows": [{"output", "input", "shape", "dtype", "pattern", "unreached",
               "norm", "min", "max", "zeros", "nan", "inf", "values"}]}

A row is a block. `values` are nested lists of the block's shape, null where there are more than
10,000 of them; NaN and infinities are strings, a complex number is a pair. In vjp and the products
with a Hessian "output" names what the part belongs to, and "input" is null.

In the arrays of `.npz` and `.safetensors` a block of a matrix is called `output/input`, a part of a
product as what it belongs to. Beside a product, `value/output` is what the function gave.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from autograd_inspect.errors import RenderError
from autograd_inspect.model.derivatives import Block, Derivatives, Values, Variable
from autograd_inspect.renderers import sheet
from autograd_inspect.renderers.text import exact, safe

SCHEMA = "agi.functional/1"

#: Values of a block that JSON has; more are in the file that `-o` names.
JSON_LIMIT = 10_000


def tabbed(derivatives: Derivatives) -> str:
    """Write every value in a line of its own, tab-separated, under one line of headings."""
    return sheet.tabbed(_exact_values(derivatives))


def csv(derivatives: Derivatives) -> str:
    """Write every value as CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(derivatives))


def to_json(derivatives: Derivatives) -> str:
    """Write one JSON object, each block in a line."""
    head: dict[str, object] = {
        "schema": SCHEMA,
        "mode": derivatives.mode.value,
        "function": derivatives.function,
        "strategy": derivatives.strategy,
        "vectorize": derivatives.vectorize,
        "draws": derivatives.draws,
        "left_out": list(derivatives.left_out),
        "inputs": [_variable(one) for one in derivatives.inputs],
        "outputs": [
            {**_variable(one), "values": _nested(one.values)} for one in derivatives.outputs
        ],
        "check": {name: sheet.number(v) for name, v in asdict(derivatives.check).items()},
    }
    return sheet.to_json(head, map(_as_json, derivatives.blocks))


def named(derivatives: Derivatives) -> dict[str, Values]:
    """Give every array with its name."""
    found = {
        f"{block.row}/{block.column}" if block.column else block.row: block.values
        for block in derivatives.blocks
    }
    if not derivatives.mode.is_matrix:
        values = {f"value/{one.name}": one.values for one in derivatives.outputs}
        found |= {name: each for name, each in values.items() if each is not None}
    return found


def npz(derivatives: Derivatives) -> bytes:
    """Write an archive that `numpy.load` opens."""
    stream = io.BytesIO()
    arrays = named(derivatives)
    # Not `savez(**arrays)`: an input may have the name of one of its parameters.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)
    return stream.getvalue()


def safetensors(derivatives: Derivatives) -> bytes:
    """Write a `.safetensors` file; raises RenderError where that is not installed."""
    try:
        from safetensors.numpy import save
    except ImportError as error:
        raise RenderError(
            "-o FILE.safetensors needs safetensors, which is not installed",
            hint="pip install 'autograd-inspect[safetensors]'",
        ) from error
    arrays = {name: np.ascontiguousarray(each) for name, each in named(derivatives).items()}
    about = {"mode": derivatives.mode.value, "function": derivatives.function}
    try:
        written: bytes = save(arrays, metadata=about)
    except Exception as error:
        raise RenderError(
            f"safetensors cannot write this: {error}", hint="-o FILE.npz can"
        ) from error
    return written


def _exact_values(derivatives: Derivatives) -> Iterator[list[str]]:
    """Give the headings, then a line for each value."""
    yield ["output", "input", "output_index", "input_index", "value"]
    for block in derivatives.blocks:
        names = [safe(block.row), safe(block.column)]
        rows, columns = (
            [" ".join(map(str, at)) for at in np.ndindex(shape)]
            for shape in (block.rows, block.columns)
        )
        for row, line in zip(rows, block.matrix, strict=True):
            for column, value in zip(columns, line.tolist(), strict=True):
                yield [*names, row, column, exact(value)]


def _variable(variable: Variable) -> dict[str, object]:
    return {"name": variable.name, "shape": list(variable.shape), "dtype": variable.dtype}


def _as_json(block: Block) -> dict[str, object]:
    real = block.finite.size and not np.iscomplexobj(block.values)
    figures: dict[str, Callable[[], object]] = {
        "norm": lambda: sheet.number(block.norm),
        "min": lambda: block.least if real else None,
        "max": lambda: block.most if real else None,
        "zeros": lambda: block.zeros,
        "nan": lambda: block.nan,
        "inf": lambda: block.inf,
        "values": lambda: _nested(block.values),
    }
    return {
        "output": block.row,
        "input": block.column or None,
        "shape": [*block.rows, *block.columns],
        "dtype": block.dtype,
        "pattern": block.pattern,
        "unreached": block.unreached,
        **{name: get() for name, get in figures.items()},
    }


def _nested(values: Values | None) -> Any:
    if values is None or values.size > JSON_LIMIT:
        return None
    return _plain(values.tolist())


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list) else sheet.number(value)


#: By the extension of the file.
FORMATS: dict[str, Callable[[Derivatives], bytes]] = {"npz": npz, "safetensors": safetensors}
