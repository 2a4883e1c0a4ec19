"""The numbers of derivatives as arrays in a file: NumPy's `.npz`, or `.safetensors`.

A block of a matrix is called `output/input`, a part of a product as what it belongs to. Beside a
product, `value/output` is what the function gave.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np

from autograd_inspect.errors import RenderError
from autograd_inspect.model.derivatives import Derivatives, Values


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
    import zipfile

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


#: By the extension of the file.
FORMATS: dict[str, Callable[[Derivatives], bytes]] = {"npz": npz, "safetensors": safetensors}
