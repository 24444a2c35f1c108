"""`seq`: what a meter counts its messages with, so that a gap shows what never arrived.

Decoding one record knows only that record. Whoever reads the log in order keeps `newest`, and `follow`s.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TypeVar

Meter = TypeVar("Meter", int, str)  # its row, or its name where it must outlive the registry


def follow(newest: MutableMapping[Meter, int], sequences: Mapping[Meter, Sequence[int]]) -> dict[Meter, int]:
    """Meter -> numbers missing before and between these (`Decoded.sequences`); nothing where none is missing.

    newest  meter -> newest `seq`; updated. Kept by the caller, with its cursor if a restart is to count the same
    """
    gaps: dict[Meter, int] = {}
    for meter, numbers in sequences.items():
        last = newest.get(meter, numbers[0])
        missing = 0
        for seq in numbers:
            missing += max(0, seq - last - 1)
            if seq > last or seq in (0, 1):  # 0 or 1 again: the meter was restarted and counts anew
                last = seq
        newest[meter] = last
        if missing:
            gaps[meter] = missing
    return gaps
