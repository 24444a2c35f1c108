"""`seq`: what a meter counts its messages with, so that a gap shows what never arrived.

Decoding one record knows only that record. Whoever reads the log in order keeps `newest`, and `follow`s.
"""

from __future__ import annotations

from collections.abc import MutableMapping

from ingest.decode.result import Decoded


def missing_between(newest: int, seq: int) -> int:
    """Numbers between the newest and the next one; a repeated or older one says nothing."""
    return max(0, seq - newest - 1)


def newest_of(newest: int, seq: int) -> int:
    """The newest from now on. 0 or 1 again: the meter was restarted and counts anew."""
    return seq if seq > newest or seq in (0, 1) else newest


def follow(newest: MutableMapping[int, int], decoded: Decoded) -> dict[int, int]:
    """Meter -> numbers missing in this piece of the log and between it and the pieces before.

    newest  meter -> newest `seq`, kept by the caller (with its cursor, if a restart is to count the same); updated
    """
    gaps = dict(decoded.sequence_gaps)
    for meter, (first, last) in decoded.sequences.items():
        if meter in newest:
            missing = missing_between(newest[meter], first)
            if missing:
                gaps[meter] = gaps.get(meter, 0) + missing
            newest[meter] = last if first in (0, 1) else newest_of(newest[meter], last)
        else:
            newest[meter] = last
    return gaps
