"""Lines of line protocol on their way to a store: one by one, or as the block that a request carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Block(Sequence[bytes]):
    """Lines that lie in one buffer; taken one by one only where somebody must."""

    def __init__(self, text: bytes, begins: NDArray[np.int64]) -> None:
        """`text` has a line end behind each line; line i begins at `begins[i]`, and one more is where the last ends."""
        self._text, self._begins = text, begins

    @property
    def joined(self) -> bytes:
        """The lines with line ends between them: a request's body."""
        return self._text[self._begins[0] : max(self._begins[0], self._begins[-1] - 1)]

    def __len__(self) -> int:
        return len(self._begins) - 1

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> Block: ...
    def __getitem__(self, at: int | slice) -> bytes | Block:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step != 1:
                raise ValueError("lines are taken one after the other")
            return Block(self._text, self._begins[start : max(start, stop) + 1])
        at = range(len(self))[at]
        return self._text[self._begins[at] : self._begins[at + 1] - 1]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.joined.split(b"\n") if len(self) else ())


def joined(lines: Sequence[bytes]) -> bytes:
    """Lines with line ends between them."""
    return lines.joined if isinstance(lines, Block) else b"\n".join(lines)


@dataclass(frozen=True, slots=True)
class Lines:
    """Readings as lines; line i holds rows `first[i]` to `first[i + 1]` (exclusive) of the batch it was made from."""

    lines: Sequence[bytes]
    first: Sequence[int] | NDArray[np.int64]  # one longer than `lines`
