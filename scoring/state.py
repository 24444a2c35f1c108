"""A state as bytes: arrays and plain JSON, no pickle; the same state always gives the same bytes.

    8 bytes    length of the head, little-endian
    head       JSON: {"meta": …, "arrays": [[name, dtype, shape], …]}, blanks behind it up to a multiple of 64 bytes
    arrays     in that order, each as it stands in memory, zeros behind it up to a multiple of 64 bytes

The arrays of a large plant are hundreds of megabytes: none is copied, neither into the bytes nor out of them.
"""

from __future__ import annotations

import ast
import io
import json
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Buffer = bytes | memoryview
_LENGTH = struct.Struct("<Q")
_ALIGNED = 64
_NO_STATE = (struct.error, ValueError, KeyError, TypeError, SyntaxError, MemoryError, OSError, zipfile.BadZipFile)
_ZIP = b"PK\x03\x04"
"""How an .npz begins, in which states were kept before."""
_PAGE = 4096
_AT_ONCE = 1024  # pages


def pack(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Buffer]:
    """The bytes in pieces; those of the arrays are their own memory, to be used before they change."""
    told = [[name, _told(array.dtype), list(array.shape)] for name, array in arrays.items()]
    head = json.dumps({"meta": meta, "arrays": told}, separators=(",", ":")).encode()
    head += b" " * _missing(_LENGTH.size + len(head))
    pieces: list[Buffer] = [_LENGTH.pack(len(head)), head]
    for array in arrays.values():
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        pieces += [flat.data, bytes(_missing(flat.size))]
    return pieces


def unpack(state: Buffer) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `pack` was given, the arrays as views; ValueError if it is something else."""
    whole = memoryview(state)
    try:
        if whole[: len(_ZIP)] == _ZIP:
            return _unzipped(whole)
        (length,) = _LENGTH.unpack_from(whole)
        at = _LENGTH.size + length
        head = json.loads(bytes(whole[_LENGTH.size : at]))
        arrays = {}
        for name, told, shape in head["arrays"]:
            dtype = np.dtype(ast.literal_eval(told))
            array = np.frombuffer(whole, dtype, int(np.prod(shape)), at).reshape(shape)
            arrays[name] = array
            at += array.nbytes + _missing(array.nbytes)
        meta: dict[str, Any] = head["meta"]
    except _NO_STATE as problem:
        raise ValueError(f"not a state of the engine: {problem}") from problem
    return meta, arrays


def _unzipped(state: memoryview) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Of a program before: its alarms stand on, where nothing else of it can."""
    with np.load(io.BytesIO(state), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(arrays.pop("meta").tobytes()), arrays


def owned(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that takes memory only for pages that hold something: much of a state's room is still empty."""
    fresh = np.zeros(array.shape, array.dtype)
    to, of = (one.reshape(-1).view(np.uint8) for one in (fresh, array))
    whole = of.size // _PAGE * _PAGE
    pages = of[:whole].reshape(-1, _PAGE)
    filled = np.flatnonzero(pages.any(axis=1))
    for some in np.array_split(filled, max(1, len(filled) // _AT_ONCE)):
        to[:whole].reshape(-1, _PAGE)[some] = pages[some]
    to[whole:] = of[whole:]
    return fresh


def _told(dtype: np.dtype[Any]) -> str:
    return repr(np.lib.format.dtype_to_descr(dtype))


def _missing(size: int) -> int:
    return -size % _ALIGNED
