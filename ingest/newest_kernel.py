"""The compiled walk of `ingest.newest`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.readings import I32, I64
from ingest.kernels import kernel


@kernel
def advance(channel: I32, ts: I64, rev: I64, newest: I64, late: NDArray[np.bool_], odd: NDArray[np.bool_]) -> int:
    """Move `newest` over a batch; how many rows are odd: not beyond all before them on their channel, or with a `rev`.

    late  filled: rows not beyond what `newest` was before the batch
    odd   filled
    """
    for row in range(len(ts)):
        late[row] = ts[row] <= newest[channel[row]]
    found = 0
    for row in range(len(ts)):
        last = newest[channel[row]]
        beyond = ts[row] > last
        odd[row] = not beyond or rev[row] != 0
        found += odd[row]
        if beyond:
            newest[channel[row]] = ts[row]
    return found
