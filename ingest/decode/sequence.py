"""`seq`: what a meter counts its messages with, so that a gap shows what never arrived.

Decoding one record knows only that record. Whoever reads the log in order keeps `newest`, and `follow`s.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TypeVar

import numpy as np

from devices.readings import I64

Meter = TypeVar("Meter", int, str)  # its row, or its name where it must outlive the registry

RESTARTED = 1_000_000
"""A step of more messages than this, either way, is a meter that counts anew and no gap."""
NONE: I64 = np.zeros((0, 2), np.int64)
"""No `seq` at all: rows of (meter, seq) in log order are how decoding hands them on."""


def redelivered(seq: int) -> int:
    """How the `seq` of a message stands in these columns that the broker may have sent before (DUP): below zero.

    It is often the first that came of it, as after a kill: then it is not missing. It may as well be old, so it leads
    on from the number before it and says nothing else: neither that others are missing nor that a meter counts anew.
    """
    return -1 - seq


def by_meter(sequences: I64) -> dict[int, list[int]]:
    """Meter -> its `seq`s in log order, from rows of (meter, seq)."""
    if not len(sequences):
        return {}
    order = np.argsort(sequences[:, 0], kind="stable")
    meters, numbers = sequences[order, 0], sequences[order, 1].tolist()
    first = np.flatnonzero(np.diff(meters, prepend=meters[0] - 1))
    ends = [*first[1:].tolist(), len(numbers)]
    return {m: numbers[a:b] for m, a, b in zip(meters[first].tolist(), first.tolist(), ends, strict=True)}


def follow(newest: MutableMapping[Meter, int], sequences: Mapping[Meter, Sequence[int]]) -> dict[Meter, int]:
    """Meter -> numbers missing before and between these (see `by_meter`); nothing where none is missing.

    newest  meter -> newest `seq`; updated. Kept by the caller, with its cursor if a restart is to count the same
    """
    gaps: dict[Meter, int] = {}
    for meter, numbers in sequences.items():
        last = newest.get(meter, max(numbers[0], redelivered(numbers[0])))
        missing = 0
        for seq in numbers:
            if seq < 0:
                last += redelivered(seq) == last + 1
                continue
            if abs(seq - last) > RESTARTED or seq in (0, 1):  # the meter was restarted and counts anew
                last = seq
                continue
            missing += max(0, seq - last - 1)
            last = max(last, seq)
        newest[meter] = last
        if missing:
            gaps[meter] = missing
    return gaps
