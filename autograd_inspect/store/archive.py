"""The bytes of a capture file: a ZIP that `numpy.load` can open, sealed with a checksum.

The first member is `capture.json`, not compressed, so that any version of agi can tell what a file
is and who wrote it before it trusts the rest. The archive's comment ends the file; it holds the
CRC-32 of every byte before it, because ZIP's own checksums cover the members but not the directory.
"""

from __future__ import annotations

import ast
import json
import math
import struct
import zipfile
import zlib
from io import BytesIO
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

from autograd_inspect.model.capture import About, Capture
from autograd_inspect.model.curves import Curves
from autograd_inspect.model.gradients import Gradients
from autograd_inspect.model.graph import Graph
from autograd_inspect.store import fit
from autograd_inspect.store.columns import (
    FROM_THE_START,
    GRAPH_TABLES,
    TABLES,
    Array,
    Column,
    arrays_of,
    columns,
    counts_of,
    interned,
    parts_of,
)
from autograd_inspect.store.plain import read_as, to_json

FORMAT = "agi-capture"
VERSION = (1, 4)

#: What the parsers of ZIP, npy and JSON raise for bytes that nobody vouches for.
UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

_FIRST = "capture.json"
_STRINGS = "tables.json"
_SEAL = b"agi-capture crc32="
_SEAL_SIZE = len(_SEAL) + 8
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_NPY = b"\x93NUMPY\1\0"
_MOST_HEADER = 4096  # of a .npy file; what numpy writes is 128 bytes
_LARGE = 1 << 30  # from here on a member's sizes may need more than 32 bits

#: Deflate makes 1000:1 of zeros only; the `start` and `target` of any real graph keep well below.
_MOST_EXPANSION = 250


def pack(capture: Capture, file: IO[bytes]) -> None:
    """Write a capture to an empty file, which must be open for reading too."""
    fit.check(capture)
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(ZipInfo(_FIRST), to_json(_description_of(capture), indent=1), ZIP_STORED)
        archive.writestr(ZipInfo(_STRINGS), to_json(_strings_of(capture)), ZIP_DEFLATED, 1)
        for column, array in arrays_of(capture):
            _write(archive, column, array)
        archive.comment = _seal(0)  # keeps the place, and the comment's length, for the real one
    _write_seal(file)


def unpack(data: bytes) -> Capture:
    """Read a capture; raises one of UNREADABLE, a ValueError saying why where we can tell."""
    _check_seal(data)
    with ZipFile(BytesIO(data)) as archive:
        _check_expansion(archive, len(data))
        description, strings = _read_json(archive, _FIRST), _read_json(archive, _STRINGS)
        counts = _read_counts(description["counts"])
        arrays = {column.name: _read(archive, column, counts) for column in columns()}
    capture = _assemble(description["about"], strings, arrays)
    fit.check(capture)
    return capture


def describe(data: bytes) -> dict[str, Any]:
    """Read `capture.json` off the front of a file that may be damaged; empty if it is itself."""
    try:
        signature, *_, checksum, size, _, name, extra = _LOCAL_HEADER.unpack_from(data)
        text = data[_LOCAL_HEADER.size + name + extra :][:size]
        found = json.loads(text) if zlib.crc32(text) == checksum else {}
    except (ValueError, RecursionError, struct.error):
        return {}
    return found if signature == b"PK\3\4" and type(found) is dict else {}


def looks_like_capture(start: bytes, end: bytes) -> bool:
    """Tell from the first and last bytes whether a file is, or was, one of ours."""
    name = start[_LOCAL_HEADER.size :][: len(_FIRST)]
    begins = start.startswith(b"PK\3\4") and _FIRST.encode().startswith(name)
    return begins or _SEAL in end


def is_sealed(data: bytes) -> bool:
    """Tell whether a file is, byte for byte, what some version of agi wrote."""
    return data[-_SEAL_SIZE:] == _seal(zlib.crc32(memoryview(data)[:-_SEAL_SIZE]))


def _description_of(capture: Capture) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "counts": counts_of(capture),
        "about": capture.about,
    }


def _strings_of(capture: Capture) -> dict[str, dict[str, Any]]:
    parts = parts_of(capture)
    return {
        part: {name: getattr(parts[part], name) for name in names}
        for part, names in interned().items()
    }


def _assemble(about: Any, strings: Any, arrays: dict[str, Array]) -> Capture:
    tables = {
        group: table(**{c.field.name: arrays[c.name] for c in columns() if c.group == group})
        for group, table in TABLES.items()
    }
    of_graph = {name: tables[group] for group, name in GRAPH_TABLES.items()}
    graph = Graph(**of_graph, **_read_strings(strings, "graph"))
    gradients = Gradients(tables["grads"], **_read_strings(strings, "grads"))
    curves = Curves(tables["curves"], tables["points"], **_read_strings(strings, "curves"))
    return Capture(graph, gradients, read_as(About, about), curves)


def _read_counts(counts: Any) -> dict[str, int]:
    """Read how many rows each group has; none of a group that came after the file was written."""
    absent = {group: 0 for group in TABLES if group not in FROM_THE_START}
    return {group: read_as(int, (absent | counts)[group]) for group in TABLES}


def _read_strings(strings: Any, part: str) -> dict[str, Any]:
    # Files from before there were curves lack their names, and have none.
    found = strings.get(part, {}) if part == "curves" else strings[part]
    hints = interned()[part]
    return {name: read_as(hint, found[name]) for name, hint in hints.items() if name in found}


def _write(archive: ZipFile, column: Column, array: Array) -> None:
    portable = np.ascontiguousarray(array, column.dtype.newbyteorder("<"))
    with archive.open(column.member, "w", force_zip64=array.nbytes > _LARGE) as file:
        npy.write_array(file, portable, version=(1, 0), allow_pickle=False)


def _read(archive: ZipFile, column: Column, counts: dict[str, int]) -> Array:
    """Read one column, believing no size before the counts confirm it."""
    shape, dtype = column.shape(counts), column.dtype.newbyteorder("<")
    if column.member not in archive.NameToInfo:
        return column.default(shape)
    size = math.prod(shape) * dtype.itemsize
    if not 0 <= archive.getinfo(column.member).file_size - size < _MOST_HEADER:
        raise ValueError(f"{column.member} is not as long as its rows")
    with archive.open(column.member) as file:
        expected = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        if _read_header(file) != expected:
            raise ValueError(f"{column.member} does not hold {shape} of {column.dtype}")
        array: Array = np.ndarray(shape, dtype, file.read(size))
        if file.read(1):  # reading to the very end is also what makes zipfile compare the CRC
            raise ValueError(f"{column.member} goes on after its last row")
    return array.astype(column.dtype, copy=False)


def _read_header(file: IO[bytes]) -> Any:
    """Read the header of a .npy file, which is a Python literal; numpy would make a dtype of it."""
    if file.read(len(_NPY)) != _NPY:
        raise ValueError("a column is no npy file of version 1.0")
    length = int.from_bytes(file.read(2), "little")
    return ast.literal_eval(file.read(min(length, _MOST_HEADER)).decode("latin-1"))


def _read_json(archive: ZipFile, name: str) -> Any:
    with archive.open(name) as file:  # read() without a size would inflate more than was declared
        return json.loads(file.read(archive.getinfo(name).file_size))


def _check_expansion(archive: ZipFile, packed: int) -> None:
    members = {_FIRST, _STRINGS, *(column.member for column in columns())}
    read = [info for info in archive.infolist() if info.filename in members]
    if any(info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for info in read):
        raise ValueError("compressed in another way")
    if sum(info.file_size for info in read) > _MOST_EXPANSION * packed:
        raise ValueError("expands beyond reason")


def _seal(checksum: int) -> bytes:
    return _SEAL + b"%08x" % checksum


def _write_seal(file: IO[bytes]) -> None:
    left = file.seek(-_SEAL_SIZE, 2)
    file.seek(0)
    checksum = 0
    while left:
        chunk = file.read(min(left, 1 << 20))
        checksum = zlib.crc32(chunk, checksum)
        left -= len(chunk)
    file.seek(-_SEAL_SIZE, 2)  # C's rule for files open both ways: seek between read and write
    file.write(_seal(checksum))


def _check_seal(data: bytes) -> None:
    if not data[-_SEAL_SIZE:].startswith(_SEAL):
        raise ValueError("its end is missing")
    if not is_sealed(data):
        raise ValueError("checksum mismatch")
