"""`Fault`: why a message, or one object of it, is not let in, in words for a plant engineer.

| reason | what is wrong |
|---|---|
| bad-frame, empty, too-large, bom, not-utf8, not-json, truncated, trailing-bytes, too-deep | the payload as a whole |
| not-an-object, not-a-number, no-value, nested, duplicate-key, bad-close | its shape |
| lone-surrogate, control-character | its letters |
| no-time, bad-time, time-zero, time-range, time-unit, time-past, time-future, retained-no-time | its time |
| text, boolean, null, not-finite, number-too-long, integer-too-large | a value |
| bad-seq, bad-rev, bad-flag, identity | another reserved key |
| bad-topic, unknown-meter, unknown-channel, derived-channel | its name (the last three are pending) |
| too-many-faults | the rest of a message with more than a thousand faults |
| internal | nothing: a mistake in greengauge that this message brings out |
"""

from __future__ import annotations

from typing import Literal


class Fault(Exception):
    """One reason not to let something in: stable code, cause, place, mend."""

    def __init__(
        self,
        reason: str,
        cause: str,
        where: str,
        mend: str,
        *,
        outcome: Literal["quarantined", "pending"] = "quarantined",
        names: tuple[str, ...] = (),
    ) -> None:
        self.reason, self.cause, self.where, self.mend = reason, cause, where, mend
        self.outcome: Literal["quarantined", "pending"] = outcome
        self.names = names  # what awaits approval, if pending
        self.lost = len(names)  # numbers that are kept out by it
        super().__init__(reason)
