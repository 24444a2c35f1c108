"""Eight bytes at once, wherever they stand: kernels compare, hash and copy with them.

Numba has no unaligned load; these are one machine instruction each. Nothing here looks whether the eight
bytes lie within the array: whoever calls `load` or `store` has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from devices.readings import U8
from ingest.kernels import inlined

if TYPE_CHECKING:

    def load(data: U8, at: int) -> int:
        """`data[at:at + 8]` as an unsigned number."""
        ...

    def store(data: U8, at: int, word: int) -> None:
        """`data[at:at + 8] = word`."""
        ...
else:
    from numba.core import types
    from numba.extending import intrinsic

    def _place(context: Any, builder: Any, array: Any, kind: Any, at: Any) -> Any:
        data = context.make_array(kind)(context, builder, array).data
        return builder.bitcast(builder.gep(data, [at]), context.get_value_type(types.uint64).as_pointer())

    @intrinsic
    def load(_: Any, data: Any, at: Any) -> Any:  # noqa: ARG001 - their types come by this signature
        """`data[at:at + 8]` as an unsigned number."""

        def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            word = builder.load(_place(context, builder, given[0], signature.args[0], given[1]))
            word.align = 1
            return word

        return types.uint64(data, types.intp), build

    @intrinsic
    def store(_: Any, data: Any, at: Any, word: Any) -> Any:  # noqa: ARG001 - the same
        """`data[at:at + 8] = word`."""

        def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            place = _place(context, builder, given[0], signature.args[0], given[1])
            builder.store(given[2], place).align = 1
            return context.get_dummy_value()

        return types.none(data, types.intp, types.uint64), build


_A, _B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)  # odd, ones and zeros well mixed
_S2, _S29, _S32 = np.uint64(2), np.uint64(29), np.uint64(32)
_MASKS = np.array([256**k - 1 for k in range(8)], np.uint64)


@inlined
def mix(data: U8, at: int, size: int) -> int:
    """A hash of some bytes, 62 bits."""
    found, end = np.uint64(size), at + size
    while end - at >= 8:
        found = (found ^ load(data, at)) * _A  # unsigned: numba takes it that a signed product never overflows
        found ^= found >> _S32
        at += 8
    if at < end:
        found = (found ^ rest(data, at, end - at)) * _A
        found ^= found >> _S32
    found *= _B
    return np.int64((found ^ (found >> _S29)) >> _S2)  # type: ignore[return-value] # an int to numba


@inlined
def rest(data: U8, at: int, size: int) -> np.uint64:
    """The last `size` < 8 bytes at `at`, as one number."""
    if at + 8 <= len(data):
        return load(data, at) & _MASKS[size]  # type: ignore[no-any-return] # unsigned
    found = np.uint64(0)
    for k in range(size):
        found |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return found


@inlined
def same(a: U8, i: int, b: U8, j: int, size: int) -> bool:
    """Whether `a[i:i + size]` is `b[j:j + size]`; both lie within their arrays."""
    while size >= 8:
        if load(a, i) != load(b, j):
            return False
        i, j, size = i + 8, j + 8, size - 8
    return size == 0 or rest(a, i, size) == rest(b, j, size)


@inlined
def copy(source: U8, at: int, size: int, out: U8, to: int) -> int:
    """`source[at:at + size]` to `out[to:]`, in words: what is copied too much, the next copy overwrites."""
    end = to + size
    while to < end:
        if at + 8 > len(source):
            out[to] = source[at]
            at, to = at + 1, to + 1
        else:
            store(out, to, load(source, at))
            at, to = at + 8, to + 8
    return end
