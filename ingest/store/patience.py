"""How long to wait before a store that is down is asked again: at most one attempt a second in all, jittered."""

from __future__ import annotations

import random

from ingest.store.base import StoreDown

FIRST_RETRY_S, LAST_RETRY_S, STANDING_RETRY_S, LONGEST_S = 1.0, 5.0, 30.0, 600.0


def pause_s(down: StoreDown, failures: int) -> float:
    """Seconds, after so many failures in a row. Longer where a person is needed; a Retry-After is kept.

    Jittered, so that many writers do not return in step.
    """
    longest = STANDING_RETRY_S if down.standing else min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 10))
    pause = random.uniform(FIRST_RETRY_S, longest)  # noqa: S311 - jitter, no secret
    return min(max(pause, down.retry_after), LONGEST_S)
