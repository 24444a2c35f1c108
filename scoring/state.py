"""A state as bytes: arrays and plain JSON, no pickle; the same state always gives the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_META = "meta"


def pack(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """An .npz of the arrays and of `meta` as JSON."""
    text = np.frombuffer(json.dumps(meta, separators=(",", ":")).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{_META: text}, **arrays)
    return file.getvalue()


def unpack(state: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `pack` was given; ValueError if it is something else."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta: dict[str, Any] = json.loads(arrays.pop(_META).tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise ValueError(f"not a state of the engine: {problem}") from problem
    return meta, arrays
