"""Is an event time plausible? Seconds and nanoseconds are recognised and named, never converted."""

from __future__ import annotations

from devices import times
from devices.plant.model import Intake
from ingest.decode.faults import Fault

EARLIEST = 100_000_000_000
"""1973-03-03 in ms. Before it no plant sent telemetry, and seconds read as ms fall before it until the year 5138."""

_INT64 = 2**63


def bounds(received: int, intake: Intake) -> tuple[int, int]:
    """The first and the last event time (ms) that are let in at a receive time."""
    return EARLIEST if intake.history else received - intake.past_ms, received + intake.future_ms


def refuse_time(ts: int, received: int, intake: Intake) -> None:
    """Raise the `Fault` of an event time (ms since 1970 UTC) that is not plausible at a receive time.

    Let in is [received − past, received + future]; with `history` everything from `EARLIEST` on.
    """
    first, last = bounds(received, intake)
    if not (first <= ts <= last and ts > 0):
        raise _fault(ts, received, intake, first, last)


def _fault(ts: int, received: int, intake: Intake, first: int, last: int) -> Fault:
    where = 'key "ts"'
    mend = "send ts in milliseconds since 1970-01-01 UTC"
    if not -_INT64 <= ts < _INT64:
        return Fault("time-range", f"ts {str(ts)[:20]}… does not fit 64 bits", where, mend)
    if ts <= 0:
        return Fault("time-zero", f"ts is {ts}: the meter's clock has not been set", where, f"set its clock; {mend}")
    for unit, scaled in (("seconds", ts * 1000), ("microseconds", ts // 1000), ("nanoseconds", ts // 1_000_000)):
        if EARLIEST <= scaled <= last:
            cause = f"ts {ts} looks like {unit}: as milliseconds it would be {moment(ts)}"
            return Fault("time-unit", cause, where, mend)
    if ts < first:
        cause = f"ts is {moment(ts)}: before any telemetry"
        if not intake.history:
            late, most = _lag(received - ts), _lag(intake.past_ms)
            cause = f"ts is {moment(ts)}, {late} before it was received; the registry takes {most}"
        mend = "check the meter's clock; to feed the past, set history = true in [intake]"
        return Fault("time-past", cause, where, mend)
    return Fault(
        "time-future",
        f"ts is {moment(ts)}, {_lag(ts - received)} after it was received; the registry takes {_lag(intake.future_ms)}",
        where,
        "synchronise the meter's clock (NTP); check that ts is UTC and not local time",
    )


def moment(ts: int) -> str:
    """A time for people; beyond the year 9999 its milliseconds."""
    try:
        return times.format(ts)
    except OverflowError:
        return f"{ts} ms, beyond the year 9999"


def _lag(ms: int) -> str:
    if ms >= 172_800_000:
        return f"{ms // 86_400_000:,} days"
    return f"{ms // 3_600_000} h" if ms >= 7_200_000 else f"{ms / 1000:g} s"
