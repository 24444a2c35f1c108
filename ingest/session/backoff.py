"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random

FIRST_S = 0.25
LONGEST_S = 10.0
STABLE_S = 60.0


class Backoff:
    """Doubling delays with jitter, reset only by a connection that stood for a minute.

    A takeover by a second client looks like a broker that accepts and closes: without that minute the two
    would throw each other out many times a second.
    """

    def __init__(self) -> None:
        self._ceiling = FIRST_S

    def after(self, stood: float) -> float:
        """Seconds to wait after an attempt whose connection stood for `stood` seconds (0: it failed)."""
        if stood >= STABLE_S:
            self._ceiling = FIRST_S
        delay = self._ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreads clients over time, no secret
        self._ceiling = min(self._ceiling * 2, LONGEST_S)
        return delay
