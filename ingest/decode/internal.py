"""A mistake of ours that one message brings out: it keeps out that message, told and counted, and stops nobody.

The log has the message, the quarantine its reason; once the program is mended `greengauge quarantine retry` lets it in.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from devices.errors import GreengaugeError
from devices.readings import Readings
from ingest.decode.batch import PREFIX
from ingest.decode.faults import Fault
from ingest.decode.result import Decoded, Reject
from ingest.log.record import Record

log = logging.getLogger(__name__)

REASON = "internal"
MEND = "report it with its traceback in the service's log; after an upgrade `greengauge quarantine retry`"
WHOLE = "(a whole record)"
"""Topic of a record that could not be split into messages."""
MOST_PLACES = 100
"""Places in the code whose first traceback is logged; what else fails is counted in the quarantine alone."""

_told: set[str] = set()


def unexpected(failure: Exception) -> bool:
    """Whether it is a mistake in the program: no trouble of the machine, which passes and is waited out."""
    return not isinstance(failure, GreengaugeError | MemoryError | OSError)


def place(failure: Exception, doing: str, outcome: str = f"what it concerns is quarantined as `{REASON}`") -> str:
    """What failed and where, in a few words without the message's own; its traceback is logged the first time."""
    frames = traceback.extract_tb(failure.__traceback__)
    where = f"{Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else "an unknown place"
    found = f"{type(failure).__name__} in {where}"
    if found not in _told and len(_told) < MOST_PLACES:
        _told.add(found)
        log.error("%s failed (%s): %s", doing, found, outcome, exc_info=failure)
    return found


def fault(failure: Exception) -> Fault:
    """Of a message, or an object of one, that could not be decoded."""
    return Fault(REASON, f"a mistake in greengauge: {place(failure, 'decoding a message')}", "payload", MEND)


def record(record: Record, failure: Exception) -> Decoded:
    """Of a record of which nothing can be told: neither its messages one by one, nor what a command let in."""
    found = place(failure, "taking in a record of the log")
    body = record.entry.body
    reject = Reject(
        position=record.position,
        item=0,
        received=record.entry.received,
        topic=WHOLE,
        outcome="quarantined",
        reason=REASON,
        cause=f"a mistake in greengauge: {found}",
        where="the whole record",
        mend=MEND,
        size=len(body),
        payload=body[:PREFIX],
    )
    return Decoded(Readings.empty(), (reject,))
