"""A state's bytes: what goes in comes out, whatever it is; what is no state is refused in words."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.state import owned, pack, unpack

RECORD = np.dtype([("ts", "<i8"), ("state", "u1"), ("pair", "<f4", (2,))])
ARRAYS: dict[str, NDArray[np.generic]] = {
    "records": np.array([(1 << 40, 3, (0.5, -1.0)), (0, 0, (0.0, 0.0))], RECORD),
    "empty": np.zeros((0, 4), np.int64),
    "sparse": np.concatenate([np.zeros(20_000, np.int32), np.arange(7, dtype=np.int32), np.zeros(9_001, np.int32)]),
    "table": np.arange(12, dtype=np.uint16).reshape(3, 4)[:, ::2],
}


def test_what_is_packed_comes_out() -> None:
    """Records, empty arrays, arrays that are a part of another; and plain JSON beside them."""
    meta, arrays = unpack(b"".join(pack({"a": [1, None, "ü"]}, ARRAYS)))
    assert meta == {"a": [1, None, "ü"]}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)


def test_a_copy_of_ones_own() -> None:
    """Equal, full pages or not, and written to without touching the state."""
    _, arrays = unpack(bytes(b"".join(pack({}, ARRAYS))))
    for name, array in arrays.items():
        mine = owned(array)
        assert mine.dtype == array.dtype
        assert np.array_equal(mine, ARRAYS[name])
        assert mine.flags.writeable
        assert not np.shares_memory(mine, array)


def test_a_state_of_a_program_before_is_read() -> None:
    """An .npz with its meta among the arrays: alarms are taken over from there."""
    file = io.BytesIO()
    np.savez(file, meta=np.frombuffer(b'{"alarms": [1]}', np.uint8), empty=ARRAYS["empty"])
    meta, arrays = unpack(file.getvalue())
    assert meta == {"alarms": [1]}
    assert list(arrays) == ["empty"]


@pytest.mark.parametrize("state", [b"", b"of another format", b"\x08" + bytes(7) + b'{"a": 1}', b"\xff" * 40])
def test_what_is_no_state_is_refused(state: bytes) -> None:
    """With a sentence, not with whatever reading it ran into."""
    with pytest.raises(ValueError, match="not a state of the engine"):
        unpack(state)


def test_a_state_cut_short_is_refused() -> None:
    """A file that ends too early."""
    whole = b"".join(pack({}, ARRAYS))
    with pytest.raises(ValueError, match="not a state of the engine"):
        unpack(whole[:-5_000])
