"""Which two windows are compared: ends where the sums can be cut, and none that begins before what is kept."""

from __future__ import annotations

from devices.durations import HOUR, MINUTE, SECOND
from devices.errors import ConfigurationError
from devices.plant.model import Plant
from scoring.steps import up
from scoring.windows.rules import MARGIN, hour_horizon, kept_for, minute_horizon


def ends(plant: Plant, length: int, clock: int, at: int | None, before: int | None) -> tuple[int, int]:
    """(earlier end, later end) of two windows of `length` ms; the later one by default the newest, the earlier one
    by default one window before it, or, where that is not kept any more, as far before it as is kept (of 30 d: a day).

    Ends lie on seconds while readings are kept, on minutes while minutes are, else on hours: the step that the
    moment asked for lies in. ConfigurationError for moments that cannot be compared.
    """
    later = clock if at is None else at
    kept = hour_horizon(plant) - HOUR
    earlier = before
    if earlier is None:
        earlier = max(later - length, min(up(clock + length - kept, HOUR), later - HOUR))
    if earlier >= later:
        raise ConfigurationError(
            "the earlier moment is not before the later one", where="before", mend="leave it out for one window before"
        )
    if later > up(clock, HOUR):
        raise ConfigurationError("the moment is not there yet", where="at", mend="leave it out for now")
    oldest = clock - (earlier - length)
    if oldest > kept:
        raise ConfigurationError(
            f"the earlier window begins {oldest / HOUR:.0f} h ago; sums are kept for {kept // HOUR} h",
            where="before",
            mend="choose a shorter window or a later `before`",
        )
    readings, minutes = kept_for(plant) - MARGIN, minute_horizon(plant) - HOUR
    step = SECOND if oldest <= readings else MINUTE if oldest <= minutes else HOUR
    if up(earlier, step) == up(later, step):
        raise ConfigurationError(
            f"both moments lie in one step of {step // SECOND} s", where="before", mend="choose moments further apart"
        )
    return up(earlier, step), up(later, step)
